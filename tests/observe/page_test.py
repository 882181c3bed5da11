#!/usr/bin/env python3
"""page_test.py SCRIPTED_HOST: the status page in a real browser."""
import sys
import unittest

import browser
from told import ScriptedHost, wait_for

PROGRAM = sys.argv[1]
WELL = ".chips button:nth-last-child(2)"  # the chip after it shows in fleets only


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.host = ScriptedHost(PROGRAM)
        self.addCleanup(self.host.close)
        self.browser.resize(1200, 900)

    def open(self):
        self.browser.open("about:blank")
        self.browser.complaints()  # of the test before
        self.browser.open(self.host.url)
        self.browser.evaluate("window.sameDocument = true")

    def alive(self, issuer):
        self.host.tell(issuer=issuer, state="active", result="success", ttl_s=3600, next_s=1800)

    def test_shows_a_change_of_state_and_a_forecast_without_being_loaded_again(self):
        self.alive("team-a")
        self.open()
        self.browser.sees("The credential is alive", "h1")
        self.browser.sees("Alive", "#list .state")
        self.browser.sees("left", "#list .left")
        self.browser.sees("renews in", "#list .next")
        self.browser.sees("Vault 0.1.0", "#list .who")

        self.host.tell(issuer="team-a", state="retrying", result="failure", reason="network", ttl_s=1500, next_s=20,
                       detail="connection refused")
        self.browser.sees("Retrying", "#list .state")
        self.browser.sees("connection refused", "#list .story")
        self.browser.sees("1 in danger", "h1")

        self.host.tell(issuer="team-a", state="capped", result="success", reason="max_ttl", ttl_s=86400, next_s=43200)
        self.browser.sees("Cannot be extended past", "#list .story")
        self.browser.sees("Capped", "#list .state")

        self.host.tell(issuer="team-a", state="expired", reason="expired", ttl_s=0)
        self.browser.sees("Replace the credential.", "#list .story")
        self.browser.sees("1 dead", "h1")
        self.browser.sees("not renewed", "#list .past")
        self.assertTrue(self.browser.evaluate("window.sameDocument"), "it was loaded again")
        self.assertEqual(self.browser.complaints(), [])

    def test_tells_every_state_by_a_word_and_a_shape_not_by_colour_alone(self):
        words = {"active": "Alive", "retrying": "Retrying", "capped": "Capped", "not_renewable": "Not renewable",
                 "no_expiry": "Lives for ever", "denied": "Renewal denied", "expired": "Dead", "starting": "Starting"}
        for state in words:
            self.host.tell(issuer=state, state=state, ttl_s=3600, next_s=1800)
        self.host.tell(issuer="mistyped", phase="failed", problem="tls.ca_file: it cannot be read")
        self.open()
        self.browser.sees("9", ".chips button")
        shown = {row[0]: row[1:] for row in self.browser.evaluate(
            "[...document.querySelectorAll('#list > li')].map(li => [li.querySelector('h2').innerText,"
            " li.querySelector('.state').innerText, li.querySelector('.state use').getAttribute('href')])")}
        for state, word in words.items():
            self.assertEqual(shown[state][0].strip(), word)
        self.assertEqual(shown["mistyped"][0].strip(), "Not started")
        self.assertEqual(len({shape for _, shape in shown.values()}), 5)

    def test_takes_what_a_server_said_for_text_and_nothing_else(self):
        self.host.tell(issuer="<b>bold</b>", state="retrying", result="failure", ttl_s=60,
                       detail="<img src=x onerror=\"window.hacked = true\"><script>window.hacked = true</script>")
        self.open()
        self.browser.sees("<img src=x", "#list .story")
        self.browser.sees("<b>bold</b>", "#list h2")
        self.assertIsNone(self.browser.evaluate("window.hacked ?? null"))
        self.assertEqual(self.browser.complaints(), [])

    def test_finds_one_among_ten_thousand(self):
        self.host.tell(crowd=10_000)
        self.host.tell(issuer="the-dead-one", state="expired", ttl_s=0)
        self.open()
        self.browser.sees("1 dead, 10,000 well", "h1")
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('#list > li').length"), 50)
        self.browser.sees("the-dead-one", "#list > li:first-child")
        self.browser.type("#search", "customer-1777")
        self.browser.sees("customer-17770", "#list > li:first-child")
        wait_for(lambda: self.browser.evaluate("document.querySelectorAll('#list > li').length") == 10, "ten match")
        self.browser.type("#search", "\b" * 20)
        self.browser.sees("1 to 50 of 10,001", "#where")
        self.browser.type("#forth", browser.ENTER)
        self.browser.sees("51 to 100 of 10,001", "#where")

    def test_is_driven_by_the_keyboard_alone(self):
        self.alive("a")
        for name in "bcd":
            self.host.tell(issuer=name, state="capped", result="not_renewable", ttl_s=60)
        self.open()
        self.browser.sees("3 ending, 1 well", "h1")
        self.browser.type(WELL, browser.ENTER)
        wait_for(lambda: self.browser.text("#list h2") == "a", "the chip filters")
        self.assertEqual(self.browser.evaluate(f"document.querySelector('{WELL}').ariaPressed"), "true")
        self.browser.type("#list summary", browser.ENTER)
        self.browser.sees("renewed", "#list .past")

    def test_fits_a_phone(self):
        self.host.tell(issuer="a-name-so-long-that-no-phone-has-ever-shown-it-on-one-line-and-without-a-single-space" * 2,
                       state="capped", result="success", ttl_s=86400, next_s=3600, detail="x" * 200)
        self.browser.resize(320, 700)
        self.open()
        self.browser.sees("Cannot be extended past", "#list .story")
        self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), 320)

    def test_says_when_the_host_is_gone_instead_of_showing_old_news_as_new(self):
        self.alive("a")
        self.open()
        self.browser.sees("live", "#live")
        self.host.close()
        self.browser.sees("no answer from the host since", "#live")


if __name__ == "__main__":
    if not browser.installed():
        print("SKIPPED: chromium and chromedriver are not installed (packages chromium, chromium-driver)")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
