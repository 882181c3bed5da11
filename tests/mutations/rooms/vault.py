"""vault_plugin/wire: what a reply means."""

MUTATIONS = [
    ("token parsed", "vault_plugin/wire/reply_content.cpp", "\thideToken(body, token);\n", "\tstatic_cast<void>(token);\n",
     "SECURITY: of a reply no copy of a token is left, not even where words stand", "freed_memory_test:FreedMemory.*"),
    ("root may not renew", "vault_plugin/wire/capabilities.cpp", "capability == \"update\" || capability == \"root\"",
     "capability == \"update\"", "doctor: a root capability may renew", "wire_test:Capabilities.*"),
    ("any capability renews", "vault_plugin/wire/capabilities.cpp",
     "capability == \"update\" || capability == \"root\"", "!capability.isEmpty()",
     "doctor: what a token lacks is named", "wire_test:Capabilities.*"),
    ("token repeated", "vault_plugin/wire/echo.cpp", "text.replace(at, matched.text, hidden);\n\t\tat += hidden.size();",
     "at += matched.text;", "SECURITY: no token appears in a log or an event", "wire_test:*"),
    ("half a token repeated", "vault_plugin/wire/echo.cpp", "&& !isCut) {", ") {",
     "SECURITY: no telling part of a token appears in a log or an event", "wire_test:*"),
    ("204 is a renewal", "vault_plugin/wire/classify.cpp", "(reply.status == 204 && operation == Operation::lookUp)",
     "reply.status == 204", "README: a 204 is no renewal", "wire_test:*"),
    ("user info of a redirect", "vault_plugin/wire/classify.cpp", "authority.substr(authority.rfind('@') + 1)", "authority",
     "SECURITY: no password of an address appears in a log", "wire_test:*"),
    ("patience of years", "vault_plugin/wire/classify.cpp", "return std::chrono::seconds(std::min(seconds, longest));",
     "return std::chrono::seconds(seconds);", "renewal.md: a Retry-After counts as a day at most", "wire_test:*"),
]
