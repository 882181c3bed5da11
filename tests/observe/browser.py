"""A real Chromium, driven through chromedriver by WebDriver's own JSON; no library between."""
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from told import GENEROUS, wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ENTER = "\ue007"


def installed():
    return shutil.which("chromedriver") is not None and shutil.which("chromium") is not None


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="issuer-chromium-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.base = None
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.base = f"http://127.0.0.1:{found[1]}"
                break
        options = {"args": ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                            "--disable-background-networking", f"--user-data-dir={self.profile}"]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.base += "/session/" + session["sessionId"]

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=GENEROUS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from error

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def evaluate(self, expression):
        return self._call("POST", "/execute/sync", {"script": f"return {expression};", "args": []})

    def text(self, selector="body"):
        """As a person sees it."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def type(self, selector, keys):
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/value", {"text": keys})

    def sees(self, text, selector="body"):
        wait_for(lambda: text in self.text(selector), f"the page shows {text!r} in {selector}")

    def complaints(self):
        """Returns the browser's console: errors of the script, and everything that its policy forbade."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def close(self):
        try:
            self._call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.stdout.close()
            self.driver.wait(GENEROUS)
            shutil.rmtree(self.profile, ignore_errors=True)
