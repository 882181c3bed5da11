#pragma once

#include "fleet/etcd/client.h"
#include "fleet/etcd/json.h"

#include <string_view>

namespace issuer::fleet::etcd {

/// Returns the trouble that etcd's error reply tells: its status, and its body, which may be that of a proxy.
[[nodiscard]] Trouble troubleOf(int status, std::string_view body);

/// Returns the trouble that the line of a stream tells under `error`.
[[nodiscard]] Trouble troubleOfStream(const Json& error);

/// Returns whether a trouble goes away by authenticating (again): etcd does not know the token, or wants one.
[[nodiscard]] bool wantsAuthentication(const Trouble& trouble);

/// Returns the trouble of a user's request as it is to be told. A token that etcd does not know, as after its restart,
/// is no refusal of the request: the next one has the user authenticated anew.
[[nodiscard]] Trouble ofUser(Trouble trouble);

} // namespace issuer::fleet::etcd
