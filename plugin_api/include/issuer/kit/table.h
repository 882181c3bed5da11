/// Checks whether a table of the other side can be used, before anything in it is touched.
#pragma once

#include <issuer/kit/answer.h>
#include <issuer/lifecycle.h>

#include <cstddef>
#include <string>

namespace issuer::kit {

/// Returns the extension's table if its struct_size covers every one of `slots` and none of them is NULL; else null.
template <class Table, class... Slot>
[[nodiscard]] const Table* usable(const void* found, Slot Table::*... slots) noexcept
{
	const auto* const table = static_cast<const Table*>(found);
	const auto offers = [&](auto slot) {
		const auto* const begin = reinterpret_cast<const char*>(table);
		const auto* const field = reinterpret_cast<const char*>(&(table->*slot));
		const auto end = static_cast<std::size_t>(field - begin) + sizeof(table->*slot);
		return table->struct_size >= end && table->*slot != nullptr;
	};
	return table != nullptr && (offers(slots) && ...) ? table : nullptr;
}

/// Returns ISSUER_OK if a host of this major version can drive the plugin, else why it cannot. Calls nothing of it.
inline Answer fit(const issuer_lifecycle& table)
{
	// In this order: a struct_size means something only within a major version, and a slot only within struct_size.
	if (table.abi_major != ISSUER_ABI_MAJOR) {
		return {ISSUER_E_UNSUPPORTED, "it speaks version " + std::to_string(table.abi_major) + "." +
										  std::to_string(table.abi_minor) + " of the contract, this host speaks " +
										  std::to_string(ISSUER_ABI_MAJOR) +
										  "; take a plugin built for this host, or a newer host"};
	}
	if (!ISSUER_HAS(&table, issuer_lifecycle, get_extension)) {
		return {ISSUER_E_INVALID, "its table of functions is too short (" + std::to_string(table.struct_size) +
									  " bytes); was it built with a damaged header?"};
	}
	const struct
	{
		const char* name;
		bool isSet;
	} slots[] = {
		{"create", table.create != nullptr},
		{"destroy", table.destroy != nullptr},
		{"start", table.start != nullptr},
		{"stop", table.stop != nullptr},
		{"set_recorder", table.set_recorder != nullptr},
		{"get_extension", table.get_extension != nullptr},
	};
	for (const auto& slot : slots) {
		if (!slot.isSet) {
			return {ISSUER_E_INVALID, std::string("its function ") + slot.name + " is missing"};
		}
	}
	if (table.descriptor == nullptr) {
		return {ISSUER_E_INVALID, "it has no descriptor"};
	}
	if (!ISSUER_HAS(table.descriptor, issuer_descriptor, config_schema)) {
		return {ISSUER_E_INVALID, "its descriptor is too short"};
	}
	return {};
}

} // namespace issuer::kit
