"""Signing in by the token of another platform, and the sentence for each thing that can be wrong with it."""

import re

import pytest


def test_federated_token_signs_in_and_is_read_anew_each_time(open_session, by_federation, token_file, emulator):
    session = open_session(by_federation)
    first = session.token()
    token_file.write_text(emulator.assertions.github.token() + "\n")

    assert session.token(fresh=True).value != first.value
    assert first.roles == tuple(emulator.switches.roles.split())


WRONG_TOKENS = {
    "missing": (lambda file, kubernetes: file.unlink(), "cannot be read .No such file.*label the pod"),
    "empty": (lambda file, kubernetes: file.write_text("\n"), "is empty. The platform has not written"),
    "no token": (lambda file, kubernetes: file.write_text("CANARY"), "something else than a token"),
    "binary": (lambda file, kubernetes: file.write_bytes(b"\xff\xfe\x00"), "not a text file"),
    "expired": (
        lambda file, kubernetes: file.write_text(kubernetes.token(-60)),
        r"token that expired at 20\d\d-.* UTC. The platform must renew it",
    ),
    "other subject": (
        lambda file, kubernetes: file.write_text(kubernetes.token(sub="system:serviceaccount:other:worker")),
        "AADSTS700213.*compare its issuer, subject and audience exactly",
    ),
    "other audience": (lambda file, kubernetes: file.write_text(kubernetes.token(aud="x")), "AADSTS7002131.*compare"),
}


@pytest.mark.parametrize(("spoil", "sentence"), WRONG_TOKENS.values(), ids=WRONG_TOKENS)
def test_wrong_federated_token_gets_one_sentence(spoil, sentence, refusal, by_federation, token_file, emulator):
    spoil(token_file, emulator.assertions.kubernetes)
    tokens = [token_file.read_text().strip()] if sentence.startswith("AADSTS") else []

    said = refusal(by_federation, secrets=tokens)

    assert re.search(sentence, said), said
