// An etcd lease behind the contract of Issuer Lifecycle: exports the class Lease with the kit.
#include "lease.h"

#include <issuer/kit/plugin.h>

namespace etcd {
namespace {

class EtcdLease final : public Lease
{
public:
	static constexpr issuer_descriptor descriptor =
		issuer::kit::descriptor("io.issuer.example.etcd", "etcd lease", "1.0.0", configSchema);

	using Lease::Lease;
	static issuer::kit::Result<Config> configure(std::string_view json) { return etcd::configure(json); }
};

} // namespace
} // namespace etcd

ISSUER_PLUGIN(etcd::EtcdLease);
