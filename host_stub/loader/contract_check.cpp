#include "loader/contract_check.h"

#include "common/text.h"

namespace issuer::loader {

namespace {

Result<std::string> copyString(const char* text, const char* field)
{
	if (text == nullptr) {
		return failure(std::string("its descriptor has no ") + field);
	}
	if (!isUtf8(text)) {
		return failure(std::string("its descriptor's ") + field + " is not UTF-8");
	}
	return std::string(text);
}

/// Returns the name of the first empty slot, or null.
const char* emptySlot(const issuer_lifecycle& table)
{
	const struct
	{
		const char* name;
		bool set;
	} slots[] = {
		{"create", table.create != nullptr},
		{"destroy", table.destroy != nullptr},
		{"start", table.start != nullptr},
		{"stop", table.stop != nullptr},
		{"set_recorder", table.set_recorder != nullptr},
		{"get_extension", table.get_extension != nullptr},
	};
	for (const auto& slot : slots) {
		if (!slot.set) {
			return slot.name;
		}
	}
	return nullptr;
}

} // namespace

Result<Description> describe(const issuer_lifecycle& table)
{
	// In this order: a struct_size means something only within a major version, and a slot only within struct_size.
	if (table.abi_major != ISSUER_ABI_MAJOR) {
		return failure("it speaks version " + std::to_string(table.abi_major) + "." + std::to_string(table.abi_minor) +
					   " of the contract, this host speaks " + std::to_string(ISSUER_ABI_MAJOR) +
					   "; take a plugin built for this host, or a newer host");
	}
	if (!ISSUER_HAS(&table, issuer_lifecycle, get_extension)) {
		return failure("its table of functions is too short (" + std::to_string(table.struct_size) +
					   " bytes); was it built with a damaged header?");
	}
	if (const char* slot = emptySlot(table)) {
		return failure(std::string("its function ") + slot + " is missing");
	}
	const issuer_descriptor* descriptor = table.descriptor;
	if (descriptor == nullptr || !ISSUER_HAS(descriptor, issuer_descriptor, config_schema)) {
		return failure(descriptor == nullptr ? "it has no descriptor" : "its descriptor is too short");
	}

	Description description;
	description.abiMajor = table.abi_major;
	description.abiMinor = table.abi_minor;
	description.structSize = table.struct_size;
	description.flags = descriptor->flags;
	const auto copy = [](std::string& to, const char* text, const char* field) {
		return copyString(text, field).map([&](std::string copied) { to = std::move(copied); });
	};
	Result<void> copied = copy(description.id, descriptor->id, "id")
							  .and_then([&] { return copy(description.name, descriptor->name, "name"); })
							  .and_then([&] { return copy(description.version, descriptor->version, "version"); });
	if (copied && descriptor->config_schema != nullptr) {
		copied = copy(description.configSchema.emplace(), descriptor->config_schema, "config_schema");
	}
	return copied.map([&] { return std::move(description); });
}

} // namespace issuer::loader
