#include "common/text.h"
#include "conformance/checks.h"
#include "conformance/driver.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <issuer/secrets.h>

namespace issuer::conformance {

namespace {

void speaksVersion1(const Subject& subject)
{
	const Library library(subject);
	const issuer_lifecycle& table = library.raw();
	expect(table.abi_major == ISSUER_ABI_MAJOR,
		"abi_major is " + std::to_string(table.abi_major) + " in the object of version 1");
}

/// The other fields have a meaning only within the major version.
const issuer_lifecycle& ofVersion1(const Library& library)
{
	if (library.raw().abi_major != ISSUER_ABI_MAJOR) {
		skip("it speaks another major version");
	}
	return library.raw();
}

const issuer_lifecycle& ofFullSize(const Library& library)
{
	if (!ISSUER_HAS(&ofVersion1(library), issuer_lifecycle, get_extension)) {
		skip("its table is too short");
	}
	return library.raw();
}

const issuer_descriptor& descriptorOf(const Library& library)
{
	const issuer_descriptor* descriptor = ofFullSize(library).descriptor;
	if (descriptor == nullptr || !ISSUER_HAS(descriptor, issuer_descriptor, config_schema)) {
		skip("it has no descriptor");
	}
	return *descriptor;
}

void tableIsWhole(const Subject& subject)
{
	const Library library(subject);
	const std::uint32_t size = ofVersion1(library).struct_size;
	expect(ISSUER_HAS(&library.raw(), issuer_lifecycle, get_extension),
		"struct_size is " + std::to_string(size) + ", version 1.0 has " + std::to_string(sizeof(issuer_lifecycle)));
}

void slotsAreSet(const Subject& subject)
{
	const Library library(subject);
	const issuer_lifecycle& table = ofFullSize(library);
	expect(table.create != nullptr, "the slot create is NULL");
	expect(table.destroy != nullptr, "the slot destroy is NULL");
	expect(table.start != nullptr, "the slot start is NULL");
	expect(table.stop != nullptr, "the slot stop is NULL");
	expect(table.set_recorder != nullptr, "the slot set_recorder is NULL");
	expect(table.get_extension != nullptr, "the slot get_extension is NULL");
}

void hasADescriptor(const Subject& subject)
{
	const Library library(subject);
	const issuer_descriptor* descriptor = ofFullSize(library).descriptor;
	expect(descriptor != nullptr, "the descriptor is NULL");
	expect(ISSUER_HAS(descriptor, issuer_descriptor, config_schema),
		"the descriptor's struct_size is " + std::to_string(descriptor->struct_size) + ", version 1.0 has " +
			std::to_string(sizeof(issuer_descriptor)));
	expect(descriptor->id != nullptr && descriptor->name != nullptr && descriptor->version != nullptr,
		"the descriptor's id, name or version is NULL");
}

void descriptorIsUtf8(const Subject& subject)
{
	const Library library(subject);
	const issuer_descriptor& descriptor = descriptorOf(library);
	const std::pair<const char*, const char*> strings[] = {{"id", descriptor.id}, {"name", descriptor.name},
		{"version", descriptor.version}, {"config_schema", descriptor.config_schema}};
	for (const auto& [field, text] : strings) {
		expect(text == nullptr || isUtf8(text), std::string("the descriptor's ") + field + " is not UTF-8");
	}
}

bool consistsOf(std::string_view text, std::string_view allowed)
{
	return !text.empty() && text.front() != '.' && text.find_first_not_of(allowed) == std::string_view::npos;
}

void idNamesItsOwner(const Subject& subject)
{
	const Library library(subject);
	const std::string_view id = descriptorOf(library).id;
	if (!consistsOf(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") || id.find('.') == std::string_view::npos ||
		id.back() == '.') {
		warn("the id \"" + sanitize(id) + "\" is not a reverse domain such as \"com.example.vault\"");
	}
}

void versionFitsAPath(const Subject& subject)
{
	const Library library(subject);
	const std::string_view version = descriptorOf(library).version;
	expect(consistsOf(version, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-"),
		"the version \"" + sanitize(version) + "\" cannot be part of a path; letters, digits and ._+~- can");
}

void schemaIsJson(const Subject& subject)
{
	const Library library(subject);
	const char* schema = descriptorOf(library).config_schema;
	if (schema == nullptr) {
		warn("it has no config_schema: people cannot see how it is configured");
	}
	try {
		Poco::JSON::Parser().parse(schema).extract<Poco::JSON::Object::Ptr>();
	}
	catch (const Poco::Exception& error) {
		fail("config_schema is not a JSON object: " + sanitize(error.message()));
	}
}

void unknownExtensionIsNull(const Subject& subject)
{
	const Library library(subject);
	for (const char* id : {"", "issuer.", "issuer.unknown/1", "issuer.health/999", "com.example.audit/1"}) {
		expect(library.table().get_extension(id) == nullptr,
			std::string("it offers \"") + id + "\", which does not exist");
	}
}

/// Expects the slots that the extension had from the beginning. One that came later may be NULL or beyond the table.
template <class Table, class... Slots>
void expectWhole(const issuer_lifecycle& plugin, const char* id, Slots... slots)
{
	const auto* table = static_cast<const Table*>(plugin.get_extension(id));
	if (table == nullptr) {
		return;
	}
	const auto covers = [&](auto slot) {
		const auto* const end = reinterpret_cast<const char*>(&(table->*slot) + 1);
		return table->struct_size >= static_cast<std::size_t>(end - reinterpret_cast<const char*>(table));
	};
	expect((covers(slots) && ...), std::string("the table of ") + id + " is too short");
	expect(((table->*slots != nullptr) && ...), std::string("a slot of ") + id + " is NULL");
}

void knownExtensionsAreWhole(const Subject& subject)
{
	const Library library(subject);
	const issuer_lifecycle& plugin = library.table();
	expectWhole<issuer_health_ext>(plugin, ISSUER_EXT_HEALTH, &issuer_health_ext::snapshot);
	expectWhole<issuer_control_ext>(
		plugin, ISSUER_EXT_CONTROL, &issuer_control_ext::renew_now, &issuer_control_ext::credential_changed);
	expectWhole<issuer_handover_ext>(
		plugin, ISSUER_EXT_HANDOVER, &issuer_handover_ext::export_state, &issuer_handover_ext::import_state);
	expectWhole<issuer_credential_ext>(plugin, ISSUER_EXT_CREDENTIAL, &issuer_credential_ext::use);
	expectWhole<issuer_diagnose_ext>(plugin, ISSUER_EXT_DIAGNOSE, &issuer_diagnose_ext::diagnose);
	expectWhole<issuer_secrets_ext>(plugin, ISSUER_EXT_SECRETS, &issuer_secrets_ext::lend, &issuer_secrets_ext::take);
}

constexpr Check checks[] = {
	{"speaks-version-1", "The table's major version is that of its name.", Needs::library, true, speaksVersion1},
	{"table-is-whole", "The table has at least the size of version 1.0.", Needs::library, true, tableIsWhole},
	{"slots-are-set", "No slot of the table is NULL.", Needs::library, true, slotsAreSet},
	{"has-a-descriptor", "The descriptor is there, with id, name and version.", Needs::library, true, hasADescriptor},
	{"descriptor-is-utf8", "The descriptor's strings are UTF-8.", Needs::library, false, descriptorIsUtf8},
	{"id-names-its-owner", "The descriptor's id is a reverse domain.", Needs::library, false, idNamesItsOwner},
	{"version-fits-a-path", "The descriptor's version can be part of a path.", Needs::library, false, versionFitsAPath},
	{"schema-is-json", "The schema of its configuration is there and is JSON.", Needs::library, false, schemaIsJson},
	{"unknown-extension-is-null", "An unknown extension is not offered.", Needs::table, false, unknownExtensionIsNull},
	{"known-extensions-are-whole", "The tables of the extensions it offers have no gap.", Needs::table, false,
		knownExtensionsAreWhole},
};

} // namespace

std::span<const Check> tableChecks()
{
	return checks;
}

} // namespace issuer::conformance
