#pragma once

#include "loader/plugin.h"

#include <string>

namespace issuer::registry {

/// The configuration of one issuer. Equal specs need no restart.
struct IssuerSpec
{
	std::string name; ///< unique
	loader::PluginFile plugin;
	std::string config; ///< JSON text for the plugin
	/// The hosts of a fleet decide which of them keeps it: it runs from Registry::keep() to letGo() only.
	bool shared = false;

	friend bool operator==(const IssuerSpec&, const IssuerSpec&) = default;
};

} // namespace issuer::registry
