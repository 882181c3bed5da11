#include "loader/contract_check.h"

#include "common/text.h"

#include <issuer/kit/table.h>

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

} // namespace

Result<Description> describe(const issuer_lifecycle& table)
{
	if (const kit::Answer fit = kit::fit(table); !fit) {
		return failure(fit.text);
	}
	const issuer_descriptor* descriptor = table.descriptor;
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
