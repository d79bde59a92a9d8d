"""Plots as inline SVG: positions in percent, text in pixels, so that they fit a phone and a screen alike."""

import html
import math


ROW, STRIP = 46, 28
SHAPES = {"before": "bar", "nginx": "circle", "haproxy": "square", "envoy": "cross", "relay": "triangle", "litellm": "ring", "contextforge": "diamond"}


def percent(value):
    return f"{value:.2f}%"


def strips(rows, unit):
    """A row each: every round a faint dot, the quartiles a bar, the median a tick.

    - rows: (label, values, `Spread`, text, whether it is the subject)."""
    most = max(of.high for _, _, of, _, _ in rows) * 1.12 or 1
    parts = []
    for number, (label, values, of, text, subject) in enumerate(rows):
        top = number * ROW
        kind = "subject" if subject else "other"
        parts.append(f'<text class="label {kind}" x="0" y="{top + 15}">{html.escape(label)}</text>'
                     f'<text class="value" x="100%" y="{top + 15}" text-anchor="end">{html.escape(text)}</text>'
                     f'<line class="axis" x1="0" x2="100%" y1="{top + STRIP}" y2="{top + STRIP}"/>')
        for value in values:
            if 0 <= value <= most:
                parts.append(f'<circle class="round {kind}" cx="{percent(98 * value / most)}" cy="{top + STRIP}" r="3"/>')
        low, middle, high = (98 * max(0.0, min(value, most)) / most for value in (of.low, of.median, of.high))
        parts.append(f'<line class="quartiles {kind}" x1="{percent(low)}" x2="{percent(max(high, low + 0.3))}" y1="{top + STRIP}" y2="{top + STRIP}"/>'
                     f'<line class="median {kind}" x1="{percent(middle)}" x2="{percent(middle)}" y1="{top + STRIP - 8}" y2="{top + STRIP + 8}"/>')
    words = "; ".join(f"{label} {text}" for label, _, _, text, _ in rows)
    return svg(len(rows) * ROW, parts, f"{words}. The line begins at 0 and ends at {most:,.2f} {unit}.")


def place(ratio, reach=8.0):
    """Where a ratio stands on a logarithmic line from 1/reach to reach, in percent; beyond it, at its end."""
    part = (math.log(max(min(ratio, reach), 1 / reach)) / math.log(reach) + 1) / 2
    return 3 + 94 * part


def mark(shape, x, y):
    """A shape of its own for each contender, so that colour is never all that tells them apart."""
    drawn = {
        "circle": '<circle r="5.5" cx="0" cy="0"/>',
        "square": '<rect x="-5" y="-5" width="10" height="10"/>',
        "triangle": '<path d="M0-6.5 6 5H-6Z"/>',
        "bar": '<rect x="-2" y="-8" width="4" height="16"/>',
        "diamond": '<path d="M0-7 7 0 0 7-7 0Z"/>',
        "ring": '<circle r="5" cx="0" cy="0" class="stroke hollow"/>',
        "cross": '<path d="M-5-5 5 5M5-5-5 5" class="stroke"/>',
    }[shape]
    return f'<svg x="{percent(x)}" y="{y}" overflow="visible">{drawn}</svg>'


def ratios(rows):
    """A row for each workload, on it a mark for each other contender: left of the middle Claviger takes less.

    - rows: (workload's name, [(contender's name, label, `Spread`)])."""
    parts, height = [], len(rows) * ROW + 22
    for ratio, text in ((0.125, "⅛"), (0.25, "¼"), (0.5, "½"), (1, "1"), (2, "2"), (4, "4"), (8, "8")):
        x = percent(place(ratio))
        parts.append(f'<line class="{"one" if ratio == 1 else "grid"}" x1="{x}" x2="{x}" y1="0" y2="{height - 18}"/>'
                     f'<text class="tick" x="{x}" y="{height - 4}" text-anchor="middle">{text}</text>')
    for number, (name, others) in enumerate(rows):
        y = number * ROW + STRIP + 2
        parts.append(f'<text class="label halo" x="0" y="{number * ROW + 14}">{html.escape(name)}</text>')
        for other, _, of in others:
            parts.append(f'<line class="quartiles {other}" x1="{percent(place(of.low))}" x2="{percent(place(of.high))}" y1="{y}" y2="{y}"/>')
        for other, label, of in others:
            parts.append(f'<g class="mark {other}"><title>{html.escape(label)} {of.median:.2f} ({of.low:.2f}–{of.high:.2f})</title>'
                         f'{mark(SHAPES[other], place(of.median), y)}</g>')
    words = "; ".join(f"{name}: " + ", ".join(f"{label} {of.median:.2f}" for _, label, of in others) for name, others in rows)
    return svg(height, parts, f"Claviger over each other contender. {words}.")


def legend(names):
    """The shapes and whose they are; names: (contender's name, label)."""
    return "".join(f'<span><svg class="key" width="16" height="16" aria-hidden="true"><g class="mark {name}">{mark(SHAPES[name], 50, 8)}</g></svg>'
                   f"{html.escape(label)}</span>" for name, label in names)


def svg(height, parts, words):
    return f'<svg class="plot" role="img" aria-label="{html.escape(words)}" width="100%" height="{height}">{"".join(parts)}</svg>'


