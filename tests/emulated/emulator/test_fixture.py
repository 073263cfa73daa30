"""The fixture that users import into the tests of their own DAGs."""

pytest_plugins = ["pytester"]


def test_fixture_serves_one_emulator_and_forgets_between_tests(pytester, monkeypatch, request):
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(
        """
        from airflow_provider_teams_registration.emulator.fixture import (
            teams_registration_emulator,
            teams_registration_server,
        )
        """
    )
    pytester.makepyfile(
        """
        ports = set()

        def enroll_one(emulator):
            assert emulator.store.enrolled(emulator.meeting_id) == []
            assert emulator.faults.in_force() == [] and emulator.switches.duplicate == "same"
            emulator.store.enroll(emulator.store.meeting(emulator.meeting_id), "p")
            emulator.add_fault("* *", status=500)
            emulator.set_switches(duplicate="conflict")
            ports.add(emulator.port)
            assert len(ports) == 1

        def test_one(teams_registration_emulator):
            enroll_one(teams_registration_emulator)

        def test_other(teams_registration_emulator):
            enroll_one(teams_registration_emulator)
        """
    )

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
