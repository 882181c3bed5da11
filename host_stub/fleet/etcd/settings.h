#pragma once

#include "fleet/time.h"

#include <functional>
#include <string>
#include <vector>

namespace issuer::fleet::etcd {

/// The way to an etcd, as the operator configures it.
struct Settings
{
	std::string fleet;                  ///< name of the fleet: all keys are below /issuer/<fleet>/
	std::vector<std::string> endpoints; ///< https://host:port or http://host:port, at least one; tried in this order
	std::string caFile;                 ///< roots that verify the endpoints; empty: the system's
	std::string clientCert;             ///< without a common name, where etcd has users; empty: none
	std::string clientKey;
	std::string serverName;           ///< name expected in the endpoints' certificates; empty: the endpoint's host
	std::string user;                 ///< empty: none
	std::string passwordFile;         ///< read at each authentication; its last line break does not count
	milliseconds takeover{10'000};    ///< T, the lease's time to live; etcd counts in whole seconds, and from 2 s
	milliseconds recordLasts{60'000}; ///< then the record is put again, with the clock as it is then
	milliseconds watchLasts{300'000}; ///< then the watch is begun anew, with a new list

	/// The wall clock; null: the system's. Tests let it differ.
	std::function<WallTime()> wall = nullptr;
};

} // namespace issuer::fleet::etcd
