"""An evaluation as Markdown and as one page of HTML."""

from html import escape
from typing import Any

from ..report_page import page, table
from ..svg import Chart, Series
from .figures import BINS, STRATA_TPR, TPR_TARGETS

HEAD = ["scorer", "AUC", *(f"FPR at TPR {100 * target:g} %" for target in TPR_TARGETS), "us a seed"]
SMALLEST_RATE = 1e-4
"""Where the logarithmic axis of the front begins: an FPR of 0 has no place on it."""


def markdown(result: dict[str, Any]) -> str:
    """A table for each data set and policy, what is compared, and which scorer wins."""
    lines: list[str] = []
    for name, data_set in result["data_sets"].items():
        for policy, figures in data_set["policies"].items():
            lines += [f"## {name}, {policy}", "", _counts(figures), ""]
            lines += ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
            lines += ["| " + " | ".join(row) + " |" for row in _rows(figures)]
            lines += ["", *_remarks(figures), ""]
    lines.append(
        f"In brackets: {100 * result['confidence']:g} % intervals of {result['resamples']} resamples of "
        f"{'places' if result['resampled'] == 'places' else 'read pairs'}. Part: {result['part']}; seeds: "
        f"{'all' if result['population'] == 'all' else 'those of surviving chains'}. T = {result['label_threshold']}. "
        "Times on one thread: of models in ONNX Runtime, of "
        "trees in scikit-learn with features given, of q-grams and bit vectors in numpy."
    )
    return "\n".join(lines) + "\n"


def _counts(figures: dict[str, Any]) -> str:
    return f"{figures['viable']:,} viable, {figures['hopeless']:,} hopeless seeds."


def _rows(figures: dict[str, Any]) -> list[list[str]]:
    rows = []
    for scorer, of_scorer in figures["scorers"].items():
        if of_scorer is None:
            rows.append([scorer, "one class only", *("" for _ in HEAD[2:])])
            continue
        rates = [_interval(of_scorer["fpr_at_tpr"][str(target)]) for target in TPR_TARGETS]
        rows.append([scorer, f"{of_scorer['auc']:.4f}", *rates, _cost(of_scorer)])
    return rows


def _cost(of_scorer: dict[str, Any]) -> str:
    return "-" if of_scorer["costs"].startswith("known") else f"{of_scorer['microseconds']:.2f}"


def _interval(interval: dict[str, float]) -> str:
    value, low, high = (f"{100 * interval[key]:.2f}" for key in ("value", "low", "high"))
    return f"{value} % ({low} to {high})"


def _remarks(figures: dict[str, Any]) -> list[str]:
    """Winners, the asked point, bounds, comparisons: one sentence each."""
    lines = []
    present = {name: of for name, of in figures["scorers"].items() if of is not None}
    for target in TPR_TARGETS[1:]:
        if present:
            best = min(present, key=lambda name: present[name]["fpr_at_tpr"][str(target)]["value"])
            lines.append(f"- Lowest FPR at TPR {100 * target:g} %: {best}.")
    for name, of_scorer in present.items():
        if "at_threshold" in of_scorer:
            at, point = of_scorer["at_threshold"], of_scorer["point"]
            reached = "reached" if point["reached"] else "missed"
            lines.append(
                f"- {name}: TPR > 95 % with FPR < 40 % {reached} (FPR {100 * point['fpr']:.2f} %); at its threshold "
                f"{at['threshold']:.4g} TPR {100 * at['tpr']:.3f} %, FPR {100 * at['fpr']:.2f} %; calibration error "
                f"{of_scorer['calibration']['expected_error']:.4f}."
            )
    for name, bound in figures["bounds"].items():
        rates = " / ".join(f"{100 * rate:.2f} %" for rate in bound["fpr_at_tpr"].values())
        lines.append(
            f"- No scorer of {name} can have a lower FPR at TPR 95 / 99 / 99.9 % here than {rates}: "
            f"{bound['seeds_with_mixed_inputs']:,} seeds have inputs that occur with both labels."
        )
    for found in figures["comparisons"]:
        lines.append(
            f"- {found['second']} against {found['first']} at TPR {100 * found['tpr']:g} %: {found['verdict']} (FPR "
            f"{100 * found['difference']:+.2f} points, {100 * found['low']:+.2f} to {100 * found['high']:+.2f}; p = "
            f"{found['p_value']:.3g})."
        )
    return lines


def html(result: dict[str, Any]) -> str:
    """Tables and charts of everything."""
    parts = []
    for name, data_set in result["data_sets"].items():
        for policy, figures in data_set["policies"].items():
            parts.append(f"<h2>{escape(name)}, {escape(policy)}</h2><p>{_counts(figures)}</p>")
            parts.append(table(HEAD, _rows(figures)))
            parts.append("<ul>" + "".join(f"<li>{escape(line[2:])}</li>" for line in _remarks(figures)) + "</ul>")
            parts += [chart.svg() for chart in _charts(figures)]
            parts += _strata(figures)
    return page("Evaluation", "\n".join(parts))


def _charts(figures: dict[str, Any]) -> list[Chart]:
    present = {name: of for name, of in figures["scorers"].items() if of is not None}
    if not present:
        return []
    curves = [Series(name, of["roc"]) for name, of in present.items()]
    precision = [Series(name, of["precision_recall"]) for name, of in present.items()]
    charts = [
        Chart("ROC", "FPR", "TPR", curves, x_range=(0, 1), y_range=(0, 1)),
        Chart("ROC, the last per cent", "FPR", "TPR", curves, x_range=(0, 1), y_range=(0.99, 1), legend=False),
        Chart("Precision and recall", "recall", "precision", precision, x_range=(0, 1), y_range=(0, 1), legend=False),
    ]
    calibrated = [Series(name, of["calibration"]["points"]) for name, of in present.items() if "calibration" in of]
    if calibrated:
        diagonal = Series("calibrated", [(0, 0), (1, 1)])
        axes = {"x_range": (0.0, 1.0), "y_range": (0.0, 1.0)}
        charts.append(Chart("Calibration", "score", "share of viable seeds", [*calibrated, diagonal], **axes))
    for target in TPR_TARGETS[1:]:
        points = [
            Series(
                name,
                [(max(of["microseconds"], 1e-3), max(of["fpr_at_tpr"][str(target)]["value"], SMALLEST_RATE))],
                dots=True,
            )
            for name, of in present.items()
            if not of["costs"].startswith("known")
        ]
        charts.append(
            Chart(f"Cost and FPR at TPR {100 * target:g} %", "us a seed", "FPR", points, x_log=True, y_log=True)
        )
    return charts


def _strata(figures: dict[str, Any]) -> list[str]:
    """Tables of the models' strata."""
    parts = []
    for name, of_scorer in figures["scorers"].items():
        if of_scorer is None or "calibration" not in of_scorer:
            continue
        head = [
            f"{name}: seeds with",
            "seeds",
            "viable",
            "AUC",
            f"FPR at their TPR {100 * STRATA_TPR:g} %",
            "TPR / FPR at one threshold",
        ]
        rows = []
        for group in of_scorer["strata"]:
            last = f"to {group['to'] - 1}" if group["to"] < BINS[group["fact"]][-1] else "and more"
            at = group["at_common_threshold"]
            low, high = group["fpr_interval"]
            rows.append(
                [
                    f"{group['fact']} {group['from']} {last}",
                    f"{group['seeds']:,}",
                    f"{100 * group['viable']:.1f} %",
                    f"{group['auc']:.4f}",
                    f"{100 * group['fpr_at_own_tpr']:.2f} % ({100 * low:.2f} to {100 * high:.2f})",
                    f"{100 * at['tpr']:.2f} % / {100 * at['fpr']:.2f} %",
                ]
            )
        parts.append(table(head, rows))
    return parts
