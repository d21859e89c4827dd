"""What was found out about this machine, a line each, and what to do where something is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from assistant.values import Finding

if TYPE_CHECKING:
    from assistant.channels.screen import Screen

_STYLES = {"ok": "green", "note": "yellow", "problem": "bold red"}
_STATE_WIDTH = max(map(len, _STYLES))
_NAME_WIDTH = 12  # longer names push their line to the right


def show_findings(out: Screen, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Show each as soon as it is known; all of them, when the last one is shown."""
    shown = []
    for finding in findings:
        show_finding(out, finding)
        shown.append(finding)
    return tuple(shown)


def show_finding(out: Screen, finding: Finding) -> None:
    """`ok       microphone   ...`, and below it the way out."""
    state = finding.state.ljust(_STATE_WIDTH)
    out.line(f"{state}  {finding.name.ljust(_NAME_WIDTH)} {finding.fact}", _STYLES[finding.state])
    if finding.hint:
        out.line(f"{'':{_STATE_WIDTH + _NAME_WIDTH + 3}}{finding.hint}", "dim")


def verdict(findings: Sequence[Finding]) -> str:
    """ "all is well", or how many problems there are."""
    problems = sum(finding.state == "problem" for finding in findings)
    return f"{problems} problem{'s' if problems > 1 else ''}" if problems else "all is well"


def has_problem(findings: Iterable[Finding]) -> bool:
    return any(finding.state == "problem" for finding in findings)


def findings_json(findings: Sequence[Finding]) -> str:
    """One JSON document; its fields never change their meaning."""
    whole = {"ok": not has_problem(findings), "findings": [asdict(finding) for finding in findings]}
    return json.dumps(whole, ensure_ascii=False, indent=2)
