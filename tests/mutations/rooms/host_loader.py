"""host_stub/loader: plugin files."""

MUTATIONS = [
    ("version that hides", "host_stub/loader/staging.cpp", "!text.empty() && text.front() != '.' &&", "!text.empty() &&",
     "staging.h: a version cannot lead elsewhere", "host_loader_test:Staging.NeverLets*"),
    ("folders of others", "host_stub/loader/file_rules.cpp",
     "if (Result<void> ok = checkEntry(entry, status); !ok) {",
     "if (Result<void> ok = checkEntry(entry, status); !ok && rest.empty()) {",
     "SECURITY: a plugin that others may replace is refused", "host_loader_test:FileRules*"),
    ("file of others", "host_stub/loader/file_rules.cpp", "(S_IWGRP | S_IWOTH)) == 0 ||", "S_IWOTH) == 0 ||",
     "SECURITY: a plugin file that others may write is refused", "host_loader_test:FileRules.*"),
    ("pin ignored once loaded", "host_stub/loader/plugins.cpp",
     "return checkPin(file, plugin->description().sha256).map([&] { return plugin; });", "return plugin;",
     "SECURITY: a plugin can be pinned by its SHA-256", "host_loader_test:PluginsOf.*"),
    ("pin ignored", "host_stub/loader/plugins.cpp", "if (!file.sha256 || *file.sha256 == sha256) {", "if (true) {",
     "SECURITY: a plugin can be pinned by its SHA-256", "host_loader_test:PluginsOf.*"),
    ("old code under a new path", "host_stub/loader/plugins.cpp", "if (known->second.stamp != stamp) {", "if (false) {",
     "CONTRACT: reusing the path of a loaded version is refused", "host_loader_test:PluginsOf.*"),
    ("truncated segments", "host_stub/loader/elf_check.cpp", "if (!within(segment.p_offset, segment.p_filesz, size)) {",
     "if (false) {", "CONTRACT: a truncated library kills the process inside dlopen", "host_loader_test:AStrippedPlugin.*"),
    ("may be written where it is mapped", "host_stub/loader/staging.cpp", "::fchmod(target.get(), 0444)",
     "::fchmod(target.get(), 0644)", "staging.h: nobody may write what is mapped", "host_loader_test:Staging.*"),
]
