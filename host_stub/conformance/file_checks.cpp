#include "conformance/checks.h"
#include "conformance/elf_symbols.h"
#include "conformance/process_view.h"
#include "loader/elf_check.h"
#include "loader/file_rules.h"

#include <algorithm>
#include <dlfcn.h>
#include <issuer/lifecycle.h>

namespace issuer::conformance {

namespace {

void isOutOfOthersReach(const Subject& subject)
{
	if (const auto ok = loader::checkPluginPath(subject.plugin); !ok) {
		warn("a host refuses it where it lies: " + ok.error().text);
	}
}

void isASharedObject(const Subject& subject)
{
	if (const auto ok = loader::checkElf(subject.plugin); !ok) {
		fail(ok.error().text);
	}
}

std::vector<ElfSymbol> symbolsOf(const Subject& subject)
{
	const auto symbols = exportedSymbols(subject.plugin);
	if (!symbols) {
		fail(symbols.error().text);
	}
	return *symbols;
}

void exportsTheTable(const Subject& subject)
{
	const std::vector<ElfSymbol> symbols = symbolsOf(subject);
	const auto table = std::ranges::find(symbols, ISSUER_LIFECYCLE_SYMBOL, &ElfSymbol::name);
	expect(table != symbols.end(),
		"it exports no " ISSUER_LIFECYCLE_SYMBOL "; was the object defined with ISSUER_EXPORT, and as C?");
	expect(table->isData, ISSUER_LIFECYCLE_SYMBOL " is not data: a host reads it before any code runs");
}

void exportsNothingElse(const Subject& subject)
{
	std::string others;
	for (const ElfSymbol& symbol : symbolsOf(subject)) {
		if (!symbol.name.starts_with("issuer_lifecycle_v")) { // a plugin may speak several major versions
			others += (others.empty() ? "" : ", ") + symbol.name;
		}
	}
	constexpr std::size_t enough = 200;
	if (others.size() > enough) {
		others = others.substr(0, enough) + " …";
	}
	expect(others.empty(), "it exports " + others +
							   "; other libraries bind to that, and then it can never be unloaded; "
							   "link it with a version script such as plugin.map");
}

void hasNoUniqueSymbols(const Subject& subject)
{
	for (const ElfSymbol& symbol : symbolsOf(subject)) {
		expect(!symbol.isUnique, symbol.name +
									 " is a UNIQUE symbol, which keeps the library in memory for ever; link it "
									 "with a version script, compile with -fno-gnu-unique");
	}
}

void loads(const Subject& subject)
{
	if (::dlopen(subject.plugin.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
		fail(std::string("the dynamic loader says: ") + ::dlerror());
	}
}

void loadsQuietly(const Subject& subject)
{
	const auto filesBefore = openFiles();
	const auto threadsBefore = threads();
	if (::dlopen(subject.plugin.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
		skip("it cannot be loaded");
	}
	expect(threads() == threadsBefore, "loading it starts a thread");
	expect(openFiles() == filesBefore, "loading it opens a file or a socket and keeps it");
}

void keepsTheSignalMask(const Subject& subject)
{
	const std::uint64_t before = blockedSignals(::gettid());
	if (::dlopen(subject.plugin.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
		skip("it cannot be loaded");
	}
	if (blockedSignals(::gettid()) != before) {
		warn("loading it changes which signals the loading thread blocks, as libPoco does; a careful host puts that "
			 "right");
	}
}

constexpr Check checks[] = {
	{"is-out-of-others-reach", "Only root and its owner can replace the file.", Needs::file, false, isOutOfOthersReach},
	{"is-a-shared-object", "It is a complete shared object for this machine.", Needs::file, true, isASharedObject},
	{"exports-the-table", "It exports the data object issuer_lifecycle_v1.", Needs::object, true, exportsTheTable},
	{"exports-nothing-else", "It exports no other symbol.", Needs::object, false, exportsNothingElse},
	{"has-no-unique-symbols", "It exports no symbol that would keep it in memory.", Needs::object, false,
		hasNoUniqueSymbols},
	{"loads", "The dynamic loader takes it with every symbol resolved.", Needs::object, true, loads},
	{"loads-quietly", "Loading it starts no thread and opens no file.", Needs::library, false, loadsQuietly},
	{"keeps-the-signal-mask", "Loading it leaves the loading thread's signals as they were.", Needs::library, false,
		keepsTheSignalMask},
};

} // namespace

std::span<const Check> fileChecks()
{
	return checks;
}

} // namespace issuer::conformance
