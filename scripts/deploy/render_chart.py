"""Lints a Helm chart and renders it: {"chart", "values"} as JSON on standard input, {"findings", "rendered"} on standard output."""

import json
import sys

import helm_python

asked = json.load(sys.stdin)
report = helm_python.lint(asked["chart"], asked["values"], strict=True)
findings = [
    f"{message['path']}: {message['error']}" for message in report["messages"] if message["severity"] >= 2
] + [str(error) for error in report["errors"]]
rendered = {}
if not findings:
    try:
        with helm_python.Chart.load(asked["chart"]) as chart:
            chart.validate_schema(asked["values"])
            rendered = chart.render(asked["values"], name="check", namespace="check")
    except helm_python.HelmError as error:
        findings.append(str(error))
json.dump({"findings": findings, "rendered": rendered}, sys.stdout)
