"""The security checklist of the administration (ASVS 5.0): which tests prove each of its rows.

A row is a requirement of the pages on port 8888 and of their JSON API. Here stands where to look, and that the tests
are there; a row without one is not kept. Folders are below `otppi-core/tests/`, `tests/browser/` below the top.
"""

import ast
from pathlib import Path
from typing import Final

import pytest

TOP: Final = Path(__file__).parents[4]
TESTS: Final = TOP / "otppi-core/tests"

ROWS: Final[dict[str, dict[str, str]]] = {
    "Claim": {
        "only while mark and accounts agree that there is nobody": "host/administrators/test_claim.py",
        "of two at once one wins": "admin/test_login.py::test_of_two_claims_at_once_one_wins",
        "with the code of the device, guesses of which are slowed down": (
            "host/administrators/test_claim.py::test_guesses_of_an_address_are_slowed_down_and_no_other_address_waits"
        ),
        "without it from the access point's interface": "admin/test_access_point.py",
        "told for a day": ("admin/test_login.py::test_for_a_day_it_is_told_when_and_from_where_the_device_was_claimed"),
        "its page is gone afterwards": "admin/test_login.py::test_a_new_device_asks_for_its_first_administrator",
    },
    "Password": {
        "10 to 128, judged by zxcvbn with the account's own words": "host/administrators/test_passwords.py",
        "pasted, seen, kept by the browser": (
            "admin/security/test_checklist_login.py::test_a_password_may_be_long_pasted_seen_and_kept_by_the_browser"
        ),
        "a change needs the old one": (
            "host/administrators/test_administrator_operations.py::test_the_own_password_is_changed_with_the_old_one"
        ),
    },
    "Login": {
        "an unknown name: the same answer, the same hash": (
            "host/administrators/test_administrators.py::test_an_unknown_name_costs_the_same_hash_and_says_the_same"
        ),
        "the wait doubles up to 300 s, and is told": (
            "host/administrators/test_administrators.py::test_the_wait_doubles_after_five_up_to_300_seconds_and_is_told"
        ),
        "nobody is locked out": (
            "host/administrators/test_administrators.py::test_no_flood_of_guesses_keeps_an_administrator_out"
        ),
        "one hash at a time": (
            "host/administrators/test_administering.py"
            "::test_a_sender_s_and_an_administrator_s_hash_are_computed_one_at_a_time"
        ),
        "a flood": (
            "admin/security/test_checklist_login.py::test_a_flood_of_logins_keeps_nobody_from_the_pages_or_from_sending"
        ),
    },
    "Session": {
        "256 bits, a hash is kept": "admin/security/test_sessions.py::test_a_token_is_256_bits_and_is_not_kept",
        "idle, absolute, eight of one": "admin/security/test_sessions.py",
        "cookies by HTTP and HTTPS, made anew, the clock": "admin/security/test_checklist_session.py",
        "ended by logout, password, role, second factor": "admin/test_login.py",
        "in a browser": "tests/browser/test_attacks.py::test_cookies_of_http_and_https_do_not_meet",
    },
    "Re-login": {"the password within five minutes": "admin/security/test_checklist_relogin.py"},
    "CSRF": {
        "POST, a token, this very origin": "admin/security/test_checklist_csrf.py",
        "Sec-Fetch-Site": "admin/security/test_requests.py::test_what_comes_from_elsewhere_changes_nothing",
        "the JSON API": "admin/test_api_access.py::test_a_page_of_elsewhere_gets_nowhere",
        "in a browser": "tests/browser/test_attacks.py::test_a_page_on_another_port_of_the_device_gets_nowhere",
    },
    "Host": {
        "addresses and own names": "admin/security/test_requests.py::test_any_other_name_is_refused",
        "a new device's access point": (
            "admin/security/test_captive_portal.py::test_nothing_is_done_for_a_page_of_elsewhere_whose_name_leads_here"
        ),
        "421 says where to go": (
            "admin/security/test_checklist_headers.py::test_a_strange_name_is_told_where_to_go_and_nothing_else"
        ),
        "relative redirects": (
            "admin/security/test_checklist_headers.py::test_no_redirect_leads_anywhere_but_to_a_path_of_ours"
        ),
        "no field of a proxy": "admin/security/test_checklist_headers.py::test_no_field_of_a_proxy_is_believed",
    },
    "Headers": {
        "of every answer": "admin/security/test_checklist_headers.py::test_every_answer_has_the_header_fields",
        "of what is no request": (
            "admin/security/test_checklist_headers.py::test_so_has_what_answers_no_request_at_all"
        ),
        "Clear-Site-Data": (
            "admin/security/test_checklist_session.py::test_a_logout_ends_it_and_has_the_browser_forget"
        ),
        "no frame": "tests/browser/test_attacks.py::test_no_page_is_shown_in_a_frame",
    },
    "Deviations": {
        "written down": "admin/security/test_checklist.py::test_what_is_not_kept_is_written_down",
        "a line on Home while HTTP is used": (
            "admin/security/test_checklist_https_only.py::test_who_reads_by_http_is_told_and_shown_the_way"
        ),
        "HTTPS only": "admin/security/test_checklist_https_only.py",
    },
    "TOTP": {
        "shown once, active after a right code": (
            "host/administrators/test_administrator_operations.py"
            "::test_two_step_login_is_on_after_a_right_code_and_that_one_is_used"
        ),
        "each once, one step before and after": "host/administrators/test_administrators.py",
        "also where the clock is put back": (
            "admin/security/test_checklist_login.py::test_a_code_is_taken_once_also_where_the_clock_is_put_back"
        ),
        "warns of the clock": (
            "admin/security/test_checklist_login.py"
            "::test_where_the_clock_may_be_wrong_it_is_said_where_a_code_is_wanted"
        ),
        "ten recovery codes, hashed, once each": "host/administrators/test_second_factor.py",
    },
    "Forgotten": {
        "8 digits, 10 minutes, 5 tries, 3 an hour, this browser": "host/administrators/test_forgotten.py",
        "the same answer": "admin/test_login.py::test_who_forgot_is_answered_alike_whether_known_or_not",
        "the owner is told": (
            "host/administrators/test_forgotten.py::test_whoever_changes_a_password_its_owner_is_told"
        ),
        "ends all sessions": (
            "admin/test_login.py::test_a_forgotten_password_is_set_anew_by_a_number_that_was_confirmed"
        ),
    },
    "Roles": {
        "every route, role and token": "admin/security/test_checklist_roles.py",
        "every operation, by both methods": "admin/api/test_every_operation.py::test_who_may_ask",
        "no operation without session and token": (
            "admin/test_api_access.py::test_no_operation_is_reached_without_a_session_and_its_token"
        ),
        "one administrator stays": "host/administrators/test_one_stays.py",
    },
    "Secrets": {
        "pages, logs, events, files": "admin/security/test_checklist_secrets.py",
        "the JSON API": "admin/api/test_every_operation.py::test_no_answer_holds_a_secret",
        "control characters in logs": (
            "admin/security/test_checklist_audit.py::test_no_path_or_name_forges_a_line_of_the_log"
        ),
    },
    "Tracebacks": {
        "pages": "admin/security/test_checklist_headers.py::test_no_page_that_fails_says_why",
        "the JSON API": "admin/api/test_admin_api.py::test_a_fault_is_a_number_and_its_words_are_nowhere",
    },
    "Files": {
        "sizes, depths, paths": "admin/security/test_checklist_limits.py",
        "JSON": "admin/api/test_strict_json.py",
        "uploads": "admin/test_uploads.py",
        "CSV": "admin/blocks/test_tables.py::test_csv_is_read_as_it_was_meant_and_runs_nothing",
    },
    "Audit": {
        "logins, failures, changes": "admin/security/test_checklist_audit.py",
        "bounded, batched": "host/audit/test_trail.py",
    },
    "Limits": {
        "neither starves the other": (
            "admin/security/test_checklist_limits.py::test_neither_api_nor_pages_starve_the_other"
        ),
        "watchers": "admin/live/test_hub.py::test_there_are_no_more_watchers_than_are_allowed",
        "connections": "web/test_connections.py",
    },
    "Hostile values": {
        "in addresses and forms": "admin/test_attacks.py",
        "of modems, senders, browsers, users": "admin/security/test_checklist_hostile_values.py",
    },
}


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_are_there(row: str) -> None:
    for requirement, named in ROWS[row].items():
        path, _colons, test = named.partition("::")
        file = (TOP if path.startswith("tests/browser") else TESTS) / path
        tree = ast.parse(file.read_text())
        tests = [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]
        assert test in tests if test else tests, f"{row}, {requirement}: {named}"


@pytest.mark.parametrize(
    "words", ["without TLS", "HSTS", "own certificate", "certificate_sha256", "knows the passphrase"]
)
def test_what_is_not_kept_is_written_down(words: str) -> None:
    text = " ".join((TOP / "docs/administration.md").read_text().split())
    _before, heading, section = text.partition("## What is not protected")
    assert heading
    assert words in section.partition(" ## ")[0]
