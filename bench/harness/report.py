"""The report: one file, nothing loaded from elsewhere, no script."""

import html
import pathlib

from . import goals, plot, words
from .figures import SUBJECT, column, ratio_text, spread
from .metrics import METRICS

KEY = ('<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
       '<circle cx="8" cy="8" r="4.6"/><path d="m11.4 11.4 9 9M16.2 16.2l2.6-2.6M19.3 19.3l1.7-1.7"/></svg>')


def page(results):
    style = (pathlib.Path(__file__).parent / "report.css").read_text()
    caution = words.caution(results)
    body = [head(results), f'<p class="caution">{esc(caution)}</p>' if caution else "", promised(results), overview(results), "<h2>Each workload</h2>"]
    body += [card(workload, results["contenders"]) for workload in results["workloads"]]
    body += [noise(results), method(), who(results)]
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>Claviger: what it costs, {esc(results["date"][:10])}</title><style>{style}</style></head>'
            f'<body><main>{"".join(body)}<footer>Made by <code>bench/run</code>; every round, raw, is in the JSON file beside this page.</footer></main></body></html>\n')


def esc(text):
    return html.escape(str(text))


def head(results):
    machine = results["machine"]
    rows = [("When", results["date"].replace("T", " ").replace("Z", " UTC")), ("Command", results["command"]), ("Commit", results["commit"]),
            ("Machine", f'{machine["processor"]}, {machine["cores"]} cores, {machine["memory_gib"]} GiB, Linux {machine["kernel"]}'),
            ("Rounds", f'{results["options"]["rounds"]}, {results["options"]["seconds"]} s each')]
    listed = "".join(f"<dt>{esc(name)}</dt><dd>{'<code>' + esc(value) + '</code>' if name in ('Command', 'Commit') else esc(value)}</dd>" for name, value in rows)
    return (f'<header>{KEY}<span><strong>Claviger</strong> · bench</span></header><h1>What it costs, beside nginx, HAProxy and Envoy</h1>'
            f'<p class="lead">The same work for everybody: a key and an address choose a credential, the agent’s headers go out, the credential goes in. '
            f'Medians; the quartiles in brackets.</p><div class="card"><dl>{listed}</dl></div>')


def promised(results):
    judgements = goals.judged(results)
    items = "".join(f'<li><span class="state {state}">{goals.STATES[state]}</span> '
                    f'<b>{esc(goal.workload)}</b> {esc(goals.sentence(goal, of, state))}</li>' for goal, of, state in judgements)
    return f'<h2>What was promised</h2><div class="card"><ul class="small">{items}</ul></div>' if items else ""


def overview(results):
    rows = []
    for workload in results["workloads"]:
        others = [(name, contender["label"], of) for name, contender in results["contenders"].items() if (of := words.compared(workload, name))]
        if others:
            rows.append((workload["name"], others))
    sentences = "".join(f"<li><b>{esc(name)}</b> {esc(sentence)}</li>" for name, sentence in words.found(results))
    drawn = ""
    if rows:
        shown = {name: label for _, others in rows for name, label, _ in others}
        drawn = (f'<div class="card"><p class="small soft">Claviger over each other, in what the workload is about: left of 1 it takes less, right of 1 more. '
                 f'Marks at an end lie beyond it.</p><div class="legend">{plot.legend(shown.items())}</div>{plot.ratios(rows)}</div>')
    return f'<h2>What was found</h2>{drawn}<div class="card"><ul class="small">{sentences}</ul></div>'


def card(workload, contenders):
    parts = [f'<h3>{esc(workload["name"])}</h3><p class="small soft">{esc(workload["sentence"])}</p>']
    if workload["rounds"]:
        parts += [drawn(workload, contenders, key) for key in (workload["main"], *workload.get("plots", ()))]
        parts.append(f'<details><summary>All figures, {len(workload["rounds"])} rounds</summary>{table(workload, contenders)}</details>')
    parts += [f'<p class="small">{esc(note)}</p>' for note in workload["notes"]]
    return f'<section class="card">{"".join(parts)}</section>'


def drawn(workload, contenders, key):
    """The plot of one metric, with the sentence that says what it is."""
    metric, rows = METRICS[key], []
    for name, contender in contenders.items():
        values = [value for value in column(workload["rounds"], name, key) if value is not None]
        if values:
            of = spread(values)
            rows.append((contender["label"], values, of, f"{metric.of(of)} {metric.unit}".strip(), name == SUBJECT))
    return f'<p class="small meaning">{esc(metric.title)}: {esc(metric.sentence)}.</p>' + plot.strips(rows, metric.unit)


def table(workload, contenders):
    metrics = [(name, METRICS[name]) for name in workload["metrics"]]
    heading = "".join(f"<th>{esc(metric.title)}{', ' + metric.unit if metric.unit not in ('', '/s') else ''}</th>" for _, metric in metrics)
    rows = []
    for name, contender in contenders.items():
        spreads = [spread(column(workload["rounds"], name, key)) for key, _ in metrics]
        if not any(spreads):
            continue
        cells = "".join(f"<td>{metric.text(of.median)}<small>{metric.text(of.low)}–{metric.text(of.high)}</small></td>" if of else "<td>–</td>"
                        for of, (_, metric) in zip(spreads, metrics))
        ratio = words.compared(workload, name)
        against = f"<td>{ratio_text(ratio.median)}<small>{ratio_text(ratio.low)}–{ratio_text(ratio.high)}</small></td>" if ratio else "<td></td>"
        rows.append(f'<tr{" class=subject" if name == SUBJECT else ""}><td>{esc(contender["label"])}</td>{cells}{against}</tr>')
    return f'<div class="scroll"><table><thead><tr><th></th>{heading}<th>Claviger / it</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def noise(results):
    sentences = words.noisy(results) or ["Nothing that this run could see: no proxy waited for its core, load and upstream were not the limit, the quartiles lie close."]
    items = "".join(f"<li>{esc(sentence)}</li>" for sentence in sentences)
    return f'<h2>What was noisy</h2><div class="card"><ul class="small">{items}</ul></div>'


def method():
    return f'<h2>How it was measured</h2><div class="card"><ul class="small">{"".join(f"<li>{esc(sentence)}</li>" for sentence in words.METHOD)}</ul></div>'


def who(results):
    items = "".join(f'<li><b>{esc(contender["label"])}</b> {esc(contender["version"])}'
                    + (f'. Does less: {esc(contender["less"])}' if contender["less"] else "")
                    + (f'. Checked: {esc(results["checks"][name].split(": ", 1)[1])}' if name in results.get("checks", {}) else "") + ".</li>"
                    for name, contender in results["contenders"].items())
    return f'<h2>Who took part</h2><div class="card"><ul class="small">{items}</ul></div>'
