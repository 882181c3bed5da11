"""vault_plugin/abi and plugin.cpp: the table that hosts call."""

MUTATIONS = [
    ("message cut anywhere", "vault_plugin/abi/guard.cpp", "--size;", "break;",
     "lifecycle.h: an error's message is UTF-8, cut between characters", "abi_test:AnErrorsMessage.*"),
    ("message without its end", "vault_plugin/abi/guard.cpp", "err->message[size] = '\\0';", "static_cast<void>(size);",
     "lifecycle.h: an error's message has an end", "abi_test:AnErrorsMessage.*"),
    ("innermost callback alone", "vault_plugin/abi/voice.cpp", "callback = callback->_outer;", "callback = nullptr;",
     "CONTRACT: E_REENTRANT also through another instance's callback", "abi_test:AVoice.*"),
    ("recorder replaced while it runs", "vault_plugin/abi/voice.cpp",
     "\tconst std::lock_guard lock(_mutex);\n\t_recorder = recorder", "\t_recorder = recorder",
     "CONTRACT: set_recorder is a barrier", "abi_test:AVoice.*"),
    ("a visit is no callback", "vault_plugin/abi/extensions.cpp",
     "const Voice::Callback callback(handle.voice);\n\t\t\tvisit(", "visit(",
     "CONTRACT: nothing may be called from inside a visit of use",
     "plugin_contract_test:VaultTest.NothingMayBeCalled*"),
    ("mute host taken", "vault_plugin/plugin.cpp", " || host->log == nullptr) {", ") {",
     "lifecycle.h: a host without log is refused", "plugin_contract_test:AHost.*"),
    ("small host taken", "vault_plugin/plugin.cpp", "!ISSUER_HAS(host, issuer_host, get_extension) || ", "",
     "lifecycle.h: a host that lacks fields of 1.0 is refused", "plugin_contract_test:AHost.*"),
    ("out left as it was", "vault_plugin/plugin.cpp", "\t*out = nullptr;\n", "",
     "lifecycle.h: *out is NULL after a create that fails", "plugin_contract_test:Contract.Bad*"),
]
