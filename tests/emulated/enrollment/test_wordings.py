"""What the service says of one person, in whatever wording, stops nobody else."""

import json


def test_wording_that_nobody_can_store_stops_nobody_else(enroll_all, emulator):
    wording = "m" * 70_000 + "\\ud800\\u0000"
    body = f'{{"error": {{"code": "\\udfff\\u0000{wording}", "message": "\\u0000 {wording}"}}}}'
    emulator.add_fault("POST registration/registrants", registrant_id="person 7", status=403, body=body, times=0)

    report = enroll_all([{"id": f"person {number}"} for number in range(100)])

    assert report.counts == {"enrolled": 99, "rejected": 1}
    assert report.aborted_by is None
    (refused,) = [row for row in report.rows() if row["outcome"] == "rejected"]
    refused["error"].encode()
    assert "\0" not in json.dumps(report.summary()) + refused["error"]
    assert len(refused["error"]) < 1_500
