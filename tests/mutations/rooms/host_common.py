"""host_stub/common."""

MUTATIONS = [
    ("C1 controls pass", "host_stub/common/text.cpp", "first == 0x7F || (first == 0xC2", "first == 0x7F || (first == 0xC1",
     "SECURITY: nothing a server writes can drive a terminal", "host_common_test:*"),
    ("surrogates are UTF-8", "host_stub/common/text.cpp", "overlong || surrogate || beyond", "overlong || beyond",
     "CONTRACT: strings are UTF-8", "host_common_test:*"),
    ("controls in JSON", "host_stub/common/text.cpp", "else if (isControl(character)) {", "else if (character == \"\\n\") {",
     "SECURITY: nothing a server writes can forge lines of a log", "host_common_test:*"),
]
