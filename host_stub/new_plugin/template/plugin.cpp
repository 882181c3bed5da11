// The file that hosts load: the plugin's description, the server that it talks to, and the exported table.
#include "new_plugin.h"

#include <issuer/kit/plugin.h>
#include <memory>
#include <optional>

namespace new_plugin {
namespace {

/// Pretends to renew a credential that lives for two seconds. Put your server here.
class PretendedServer final : public Server
{
public:
	std::optional<std::chrono::seconds> renew(const std::stop_token&) override { return std::chrono::seconds(2); }
};

class Plugin final : public NewPlugin
{
public:
	static constexpr issuer_descriptor descriptor =
		issuer::kit::descriptor("org.example.new-plugin", "new-plugin", "1.0.0", R"({"type": "object"})");

	Plugin(issuer::kit::HostCallbacks& host, Config config)
		: NewPlugin(host, config, std::make_unique<PretendedServer>())
	{
	}
};

} // namespace
} // namespace new_plugin

ISSUER_PLUGIN(new_plugin::Plugin);
