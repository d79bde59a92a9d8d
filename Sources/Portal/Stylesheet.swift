// The pages' one stylesheet; loaded from here, as the content policy allows nothing inline and nothing from elsewhere.

enum Stylesheet {
    static let text = """
        :root {
          color-scheme: light dark;
          --paper: #f6f4ef; --card: #fffdf9; --ink: #1d1b17; --soft: #5d574c; --line: #ddd6c8;
          --brass: #8a6414; --brass-ink: #fffdf9; --ok: #2c6a3f; --warn: #8a5200; --bad: #a3321f; --focus: #1f5fbf;
          --radius: 14px; --gap: 1rem;
        }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #16150f; --card: #1f1d16; --ink: #f0ece2; --soft: #b3ab9b; --line: #38342a;
            --brass: #d9b25a; --brass-ink: #1d1b17; --ok: #86c99a; --warn: #e0a659; --bad: #ee9282; --focus: #8db6ff; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.55 ui-sans-serif, system-ui, sans-serif; }
        main { width: min(40rem, 100% - 2rem); margin: 0 auto; padding: 2.5rem 0 4rem; }
        header { display: flex; align-items: center; gap: .75rem; margin-bottom: 2rem; color: var(--soft); font-size: .95rem; }
        header svg { width: 1.75rem; height: 1.75rem; color: var(--brass); flex: none; }
        header strong { color: var(--ink); font-weight: 650; }
        header .who { margin-left: auto; text-align: right; }
        h1 { font: 600 1.9rem/1.2 ui-serif, Georgia, serif; margin: 0 0 .5rem; letter-spacing: -.01em; }
        h2 { font-size: 1.1rem; margin: 0; font-weight: 650; }
        p { margin: 0 0 1rem; } .lead, .hint { color: var(--soft); } .hint { font-size: .93rem; margin: .25rem 0 0; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 1.1rem 1.25rem; margin: 0 0 .75rem; }
        a { color: inherit; text-underline-offset: .2em; }
        :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
        footer svg { width: 1.25rem; height: 1.25rem; flex: none; margin-top: .15rem; } footer { margin-top: 2.5rem; color: var(--soft); font-size: .9rem; display: flex; gap: .6rem; align-items: flex-start; }
        @media (max-width: 30rem) { h1 { font-size: 1.6rem; } main { padding-top: 1.5rem; } }
        h2 + p { margin-top: .5rem; } .card p:last-child { margin-bottom: 0; }
        pre { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: .7rem .85rem; margin: 0 0 1rem; }
        code { font: .95rem/1.5 ui-monospace, monospace; }

        """
}
