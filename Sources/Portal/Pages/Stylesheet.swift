// The pages' one stylesheet; loaded from here, as the content policy allows nothing inline and nothing from elsewhere.

internal import Gateway
internal import Kernel
internal import TLS

/// Calm paper, one brass accent, system fonts; light and dark by the reader's own setting. Every colour pair has a contrast of 4.5:1 and more.
enum Stylesheet {
    /// Names the text, so that a newer one is loaded at once and this one never again.
    static let version = String(Base64URL.text(Digest256(hashing: text.utf8Span.span.raw).bytes).prefix(10))

    static let text = """
        :root {
          color-scheme: light dark;
          --paper: #f6f4ef; --card: #fffdf9; --well: #f9f6f0; --ink: #1d1b17; --soft: #5d574c; --line: #ddd6c8; --edge: #857d6e;
          --brass: #8a6414; --brass-deep: #74530d; --brass-ink: #fffdf9; --ok: #2c6a3f; --warn: #8a5200; --bad: #a3321f; --focus: #1f5fbf;
          --ok-wash: #eaf2e8; --warn-wash: #f8eeda; --bad-wash: #f9e9e4;
          --radius: 14px;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #16150f; --card: #1f1d16; --well: #17160f; --ink: #f0ece2; --soft: #b3ab9b; --line: #38342a; --edge: #8d8575;
            --brass: #d9b25a; --brass-deep: #e6c57c; --brass-ink: #1d1b17; --ok: #86c99a; --warn: #e0a659; --bad: #ee9282; --focus: #8db6ff;
            --ok-wash: #1f2a20; --warn-wash: #2d2617; --bad-wash: #33201b;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        .sheet { width: min(40rem, 100% - 2rem); margin: 0 auto; padding: 2.5rem 0 4rem; }
        .sheet.wide { width: min(72rem, 100% - 2rem); }
        .skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .6rem 1rem; border-radius: 10px; }
        .hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .top { display: flex; align-items: center; gap: .75rem; margin-bottom: 2.25rem; color: var(--soft); font-size: .95rem; }
        .top svg { width: 1.75rem; height: 1.75rem; color: var(--brass); flex: none; }
        .top strong { color: var(--ink); font-weight: 650; } .top > a { color: inherit; text-decoration: none; }
        .who { margin-left: auto; text-align: right; overflow-wrap: anywhere; } .who form { display: inline; }
        h1 { font: 600 1.9rem/1.2 ui-serif, "Iowan Old Style", Palatino, Georgia, serif; margin: 0 0 .6rem; letter-spacing: -.01em; text-wrap: balance; overflow-wrap: anywhere; }
        h2 { font-size: 1.1rem; line-height: 1.35; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
        .section { font: 600 1.25rem/1.3 ui-serif, "Iowan Old Style", Palatino, Georgia, serif; margin: 2.25rem 0 .75rem; }
        p { margin: 0 0 1rem; } .lead, .hint { color: var(--soft); } .lead { max-width: 36rem; text-wrap: pretty; }
        .hint { font-size: .93rem; margin: .35rem 0 0; } .hint + .hint { margin-top: .15rem; }
        .progress { display: flex; align-items: center; gap: .9rem; margin: 1.6rem 0 1.1rem; color: var(--soft); font-size: .95rem; white-space: nowrap; }
        progress { flex: 1; height: 6px; border: 0; border-radius: 3px; appearance: none; background: var(--line); color: var(--brass); overflow: hidden; min-width: 4rem; }
        progress::-webkit-progress-bar { background: var(--line); } progress::-webkit-progress-value { background: var(--brass); border-radius: 3px; }
        progress::-moz-progress-bar { background: var(--brass); }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem 1.25rem; margin: 0 0 .8rem; }
        .card > :last-child { margin-bottom: 0; } .card h2 + p { margin-top: .5rem; }
        .server { display: grid; grid-template-columns: 2.5rem 1fr auto; gap: .25rem 1rem; align-items: center; }
        .mark { width: 2.5rem; height: 2.5rem; border-radius: 10px; background: var(--paper); border: 1px solid var(--line); display: grid; place-items: center; font-weight: 650; color: var(--soft); }
        img.mark { padding: .3rem; object-fit: contain; background: #fff; } .picture { width: 1.5rem; height: 1.5rem; padding: .1rem; margin-right: .55rem; vertical-align: -.4rem; object-fit: contain; background: #fff; border-radius: 6px; }
        .server > div > .hint { margin-top: .1rem; }
        .inside { grid-column: 1 / -1; margin-top: .8rem; border-top: 1px solid var(--line); padding-top: .9rem; }
        .inside > :last-child { margin-bottom: 0; }
        .state { font-size: .93rem; font-weight: 550; white-space: nowrap; } .state svg { width: .8rem; height: .8rem; margin-right: .45rem; vertical-align: -.04rem; }
        .ok { color: var(--ok); } .warn { color: var(--warn); } .bad { color: var(--bad); } .todo { color: var(--soft); }
        .quietly { display: flex; flex-wrap: wrap; gap: 0 1.1rem; align-items: center; color: var(--soft); font-size: .93rem; }
        .quietly a, .quietly button.plain { display: inline-flex; align-items: center; min-height: 2.75rem; } .quietly span { margin-right: auto; }
        label, .label { display: block; font-weight: 600; margin: 0 0 .35rem; }
        .field { margin: 0 0 1.1rem; } .field > .hint { margin-top: .45rem; } .row + .hint { margin-top: .9rem; } .field .hint a { color: inherit; }
        input[type=text], input[type=email], input[type=date], select { width: 100%; min-height: 3rem; font: inherit; color: inherit; background: var(--well); border: 1px solid var(--edge); border-radius: 10px; padding: .65rem .85rem; }
        input[aria-invalid] { border-color: var(--bad); }
        input.code { font: 600 1.6rem/1 ui-monospace, "SF Mono", Menlo, Consolas, monospace; letter-spacing: .32em; text-align: center; text-indent: .32em; padding: .8rem .25rem; }
        .secret { display: flex; gap: .5rem; align-items: stretch; }
        .secret input[type=text] { flex: 1; min-width: 0; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .98rem; -webkit-text-security: disc; }
        .secret:has(.show:checked) input[type=text] { -webkit-text-security: none; }
        .secret .toggle { display: flex; align-items: center; gap: .5rem; margin: 0; padding: 0 .9rem; min-height: 2.75rem; border: 1px solid var(--line); border-radius: 10px; font-weight: 500; cursor: pointer; }
        .secret .toggle:has(:focus-visible) { outline: 3px solid var(--focus); outline-offset: 2px; }
        .show, .tick { width: 1.15rem; height: 1.15rem; accent-color: var(--brass); margin: 0; flex: none; }
        fieldset { border: 0; margin: 0 0 1.1rem; padding: 0; min-width: 0; } legend { font-weight: 600; padding: 0; margin: 0 0 .35rem; }
        .choice { display: flex; gap: .75rem; align-items: flex-start; padding: .6rem .1rem; font-weight: 400; min-height: 2.75rem; margin: 0; cursor: pointer; }
        .choice .tick { margin-top: .25rem; } .choice .hint { display: block; margin: 0; } .choice + .choice { border-top: 1px solid var(--line); }
        .row { display: flex; gap: .75rem; align-items: center; flex-wrap: wrap; margin-top: 1rem; }
        button, .button { display: inline-flex; align-items: center; justify-content: center; font: inherit; line-height: 1.3; font-weight: 600; border-radius: 10px; padding: .65rem 1.2rem; border: 1px solid transparent; background: var(--brass); color: var(--brass-ink); cursor: pointer; text-decoration: none; min-height: 2.75rem; }
        button:hover, .button:hover { background: var(--brass-deep); }
        button.quiet, .button.quiet { background: none; border-color: var(--edge); color: var(--ink); font-weight: 500; }
        button.quiet:hover, .button.quiet:hover { background: var(--well); border-color: var(--ink); }
        button.danger { background: none; border-color: var(--bad); color: var(--bad); } button.danger:hover { background: var(--bad-wash); }
        button.plain { background: none; border: 0; color: inherit; font-weight: inherit; text-decoration: underline; text-underline-offset: .2em; padding: 0; min-height: 0; font-size: inherit; }
        a { color: inherit; text-underline-offset: .2em; } a:hover { text-decoration-thickness: 2px; }
        :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
        .error, .note, .good { border-left: 4px solid var(--bad); background: var(--bad-wash); border-radius: 4px 10px 10px 4px; padding: .7rem .95rem; margin: 0 0 1rem; }
        .note { border-color: var(--warn); background: var(--warn-wash); } .good { border-color: var(--ok); background: var(--ok-wash); }
        .error p, .note p, .good p { margin: .25rem 0 0; } .error strong, .note strong, .good strong { font-weight: 650; } .field .error { margin: .5rem 0 0; padding: .4rem .8rem; font-size: .95rem; }
        .foot { margin-top: 2.25rem; color: var(--soft); font-size: .9rem; display: flex; gap: .65rem; align-items: flex-start; } .foot svg { width: 1.2rem; height: 1.2rem; flex: none; margin-top: .15rem; }
        .scroll { overflow-x: auto; padding: .35rem .5rem; } table { width: 100%; border-collapse: collapse; font-size: .98rem; }
        th { text-align: left; font-weight: 500; color: var(--soft); font-size: .9rem; white-space: nowrap; } td { font-variant-numeric: tabular-nums; }
        th, td { padding: .7rem .75rem; border-bottom: 1px solid var(--line); vertical-align: middle; } tr:last-child > td, tr:last-child > th { border-bottom: 0; }
        th.num, td.num { text-align: right; } td.who-cell { font-weight: 550; } td.go { text-align: right; white-space: nowrap; } td .hint, th .hint { margin: 0; font-weight: 400; } td.when { white-space: nowrap; } td .hint { min-width: 11rem; } tbody th { color: inherit; font-size: inherit; font-weight: 550; }
        .tabs { display: flex; gap: .25rem 1.4rem; margin: 0 0 1.6rem; flex-wrap: wrap; border-bottom: 1px solid var(--line); }
        .tabs a { text-decoration: none; color: var(--soft); padding: .6rem 0; margin-bottom: -1px; border-bottom: 2px solid transparent; } .tabs a:hover { color: var(--ink); } .tabs a[aria-current] { color: var(--ink); border-bottom-color: var(--brass); font-weight: 600; }
        .head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: flex-end; justify-content: space-between; margin-bottom: 1.1rem; } .head p { margin: 0; } .head .row { margin: 0; }
        .facts { display: grid; grid-template-columns: max-content 1fr; gap: .45rem 1.5rem; margin: 0; } .facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
        .filter { display: flex; flex-wrap: wrap; gap: .75rem; align-items: flex-end; margin: 0 0 1.1rem; } .filter > div { flex: 1 1 9rem; } .filter > button, .filter > .button { min-height: 3rem; } .filter + .hint { margin: 0 0 .9rem; } .filter label { font-size: .9rem; font-weight: 500; color: var(--soft); }
        .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 0 1.25rem; }
        .copy { display: block; margin-top: .7rem; font: 1rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--well); border: 1px solid var(--edge); border-radius: 10px; padding: .8rem .95rem; overflow-wrap: anywhere; user-select: all; margin: 0 0 .75rem; }
        .preview { border-style: dashed; border-color: var(--edge); }
        pre { white-space: pre-wrap; background: var(--well); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .85rem; margin: 0 0 1rem; } code { font: .95rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
        .empty { text-align: center; padding: 2.5rem 1.25rem; color: var(--soft); } .empty h2 { color: var(--ink); margin-bottom: .4rem; } .empty p { max-width: 30rem; margin: 0 auto 1.1rem; }
        @media (max-width: 34rem) {
          .sheet { padding-top: 1.4rem; } h1 { font-size: 1.6rem; } .top { margin-bottom: 1.6rem; align-items: flex-start; } .who { font-size: .85rem; } .card { padding: 1rem; }
          .server { grid-template-columns: 2.5rem 1fr; gap: .25rem .85rem; } .server > .state, .server > .action { grid-column: 2; } .server > .action { margin-top: .5rem; } .action > form > button, .action > .button { width: 100%; }
          th, td { padding: .65rem .5rem; } td.when { white-space: normal; min-width: 6.5rem; } td .hint { min-width: 9rem; }
          .quietly span { flex: 1 1 100%; } .tabs { gap: 0 1.05rem; font-size: .97rem; }
          .row > button, .row > .button, .row > form { flex: 1 1 100%; } .row > form > button { width: 100%; } .facts { grid-template-columns: 1fr; gap: .1rem; } .facts dd { margin-bottom: .6rem; }
          input.code { letter-spacing: .2em; text-indent: .2em; }
        }
        @media (forced-colors: active) { .card, .error, .note, .good { border: 1px solid; } progress { border: 1px solid; } }
        @media print { .skip, .action, .row, .tabs { display: none; } }

        """
}
