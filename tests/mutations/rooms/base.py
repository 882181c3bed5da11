"""vault_plugin/base: the words that all rooms share."""

MUTATIONS = [
    ("controls are shown", "vault_plugin/base/sanitize.cpp",
     "properties.category == Poco::Unicode::UCP_OTHER || properties", "properties",
     "SECURITY: nothing a server writes can drive a terminal", "base_test:Sanitize.*"),
    ("bytes that are no UTF-8 pass", "vault_plugin/base/sanitize.cpp", "character.legal ? text", "true ? text",
     "lifecycle.h: texts for people are UTF-8", "base_test:Sanitize.*"),
    ("memory given back as it is", "vault_plugin/base/wiped.cpp", "\t::explicit_bzero(data, size);\n", "",
     "SECURITY: requests and replies that may hold a token are overwritten", "freed_memory_test:FreedMemory.*"),
]
