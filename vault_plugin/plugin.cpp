// The Vault plugin as hosts find it. The kit makes the exported table of this class.
#include "abi/issuer.h"

#include <issuer/kit/plugin.h>

namespace issuer::vault {
namespace {

class VaultPlugin final : public abi::Issuer
{
public:
	static constexpr issuer_descriptor descriptor =
		kit::descriptor("io.issuer.vault", "Vault", ISSUER_VERSION, configSchema);

	using abi::Issuer::Issuer;

	static kit::Result<Config> configure(std::string_view json)
	{
		auto config = parseConfig(json);
		if (!config) {
			return kit::Answer{ISSUER_E_INVALID, config.error().text};
		}
		config->transport.userAgent = "issuer-vault-plugin/" ISSUER_VERSION;
		return std::move(*config);
	}
};

} // namespace
} // namespace issuer::vault

ISSUER_PLUGIN(issuer::vault::VaultPlugin);
