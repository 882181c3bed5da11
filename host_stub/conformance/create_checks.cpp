#include "conformance/checks.h"
#include "conformance/driver.h"
#include "conformance/process_view.h"

namespace issuer::conformance {

namespace {

/// Texts that no plugin can accept as a configuration.
constexpr const char* nonsense[] = {"", "nonsense", "[]", "\"text\"", "\xff\xfe"};

void refusesWhatIsNoConfiguration(const Subject& subject)
{
	const Library library(subject);
	const CapturingHost host;
	for (const char* config : nonsense) {
		// Not NULL, so that it shows whether it was written.
		issuer_instance* out = reinterpret_cast<issuer_instance*>(&out);
		ErrorBuffer error;
		const issuer_rc code = library.table().create(host.table(), borrow(config), &out, error.get());
		const std::string call = std::string("create with the configuration «") + config + "»";
		expectCode(call, code, ISSUER_E_INVALID);
		expect(out == nullptr, call + " fails and leaves *out other than NULL");
		expect(error.code() == code, call + " leaves error.code other than its return code");
		static_cast<void>(error.message());
	}
	issuer_instance* out = nullptr;
	if (library.table().create(host.table(), borrow("{\"a\":"), &out, nullptr) == ISSUER_OK) {
		library.table().destroy(out, nullptr);
		warn("create takes a JSON text that ends in its middle");
	}
}

void refusesWithoutAnErrorStruct(const Subject& subject)
{
	const Library library(subject);
	const CapturingHost host;
	issuer_instance* out = nullptr;
	const issuer_rc code = library.table().create(host.table(), borrow("nonsense"), &out, nullptr);
	if (code == ISSUER_OK) {
		skip("it takes nonsense");
	}
	expectCode("create of nonsense, with err NULL", code, ISSUER_E_INVALID);
}

void createsAnInstance(const Subject& subject)
{
	const Library library(subject);
	const CapturingHost host;
	issuer_instance* out = nullptr;
	ErrorBuffer error;
	const issuer_rc code =
		library.table().create(host.table(), borrow(subject.config.value_or("{}")), &out, error.get());
	if (code == ISSUER_E_INVALID && !subject.config) {
		skip("needs --config FILE, a configuration it can start with: " + error.message());
	}
	expect(code == ISSUER_OK, "create answers " + codeName(code) + ": " + (code == ISSUER_OK ? "" : error.message()));
	expect(out != nullptr, "create answers ISSUER_OK and leaves *out NULL");
	expectCode("destroy of a fresh instance", library.table().destroy(out, nullptr), ISSUER_OK);
}

void createsQuietly(const Subject& subject)
{
	Library library(subject);
	const CapturingHost host;
	const auto filesBefore = openFiles();
	const auto threadsBefore = threads();
	const CheckedInstance instance(library, subject, host);
	expect(threads() == threadsBefore, "create starts a thread");
	expect(openFiles() == filesBefore, "create opens a file or a socket and keeps it");
}

void createsForAHostOf10(const Subject& subject)
{
	const Library library(subject);
	const CapturingHost host;
	issuer_host old = *host.table();
	old.struct_size = sizeof old;
	old.abi_minor = 0;
	issuer_instance* out = nullptr;
	expectCode("create for a host of 1.0",
		library.table().create(&old, borrow(subject.config.value_or("{}")), &out, nullptr), ISSUER_OK);
	expectCode("destroy", library.table().destroy(out, nullptr), ISSUER_OK);
}

void stopOfAFreshOneIsOk(const Subject& subject)
{
	Library library(subject);
	const CapturingHost host;
	CheckedInstance instance(library, subject, host);
	expectCode("stop of an instance that was never started", instance.tryStop(), ISSUER_OK);
	instance.record(nullptr);
	instance.destroy();
}

constexpr Check checks[] = {
	{"refuses-what-is-no-configuration", "create refuses nonsense with a message, and *out is NULL.", Needs::table,
		false, refusesWhatIsNoConfiguration},
	{"refuses-without-an-error-struct", "Every err may be NULL.", Needs::table, false, refusesWithoutAnErrorStruct},
	{"creates-an-instance", "create takes a good configuration, and destroy takes it back.", Needs::table, true,
		createsAnInstance},
	{"creates-quietly", "create starts no thread and opens no file.", Needs::instance, false, createsQuietly},
	{"creates-for-a-host-of-1.0", "It works with the smallest host; all other checks use a grown one.", Needs::instance,
		false, createsForAHostOf10},
	{"stop-of-a-fresh-one-is-ok", "Stopping an instance that was never started succeeds.", Needs::instance, false,
		stopOfAFreshOneIsOk},
};

} // namespace

std::span<const Check> createChecks()
{
	return checks;
}

} // namespace issuer::conformance
