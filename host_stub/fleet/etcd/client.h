#pragma once

#include "fleet/etcd/json.h"
#include "fleet/etcd/settings.h"

#include "base/http.h"
#include "base/task.h"
#include "base/wiped.h"
#include "common/result.h"
#include "transport/clients.h"
#include "transport/exchange.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace issuer::fleet::etcd {

/// The reason why etcd did not do what it was asked for.
struct Trouble
{
	enum class Kind : std::uint8_t
	{
		away,      ///< no usable answer from the endpoint that was asked: not reached, too slow, without a leader
		full,      ///< etcd's space is used up: it reads and keeps leases alive, but writes nothing
		denied,    ///< the user may not, the password is wrong, or the request is refused for another reason
		leaseGone, ///< the lease of the request does not exist
		cancelled,
	};
	Kind kind;
	std::string text; ///< one line for the operator; no secret
};

template <class T>
using Answer = tl::expected<T, Trouble>;

/// Speaks etcd v3's JSON gateway over the project's own transport: every call is a POST. Where there are several
/// endpoints, one that failed is asked last. Has its user authenticated when etcd wants that, and again when the token
/// has run out. Used by one thread at a time, by any number of tasks.
class Client
{
public:
	using Task = vault::Task<Answer<Json::Ptr>>;
	using Deadline = vault::transport::Deadline;

	/// Fails when an endpoint is no address: the error continues a sentence after «etcd.».
	[[nodiscard]] static Result<std::unique_ptr<Client>> create(const Settings& settings);

	/// Calls `/v3/<method>` with a JSON text, and returns the reply's object. `method` and `deadline` as well as the
	/// client are borrowed until the task has ended.
	[[nodiscard]] Task call(std::string_view method, std::string json, Deadline deadline);

	/// Takes one object of a stream. An error ends the stream.
	using Line = std::function<Answer<void>(const Json& result)>;

	/// Calls a method that streams, and gives each object's `result` to `line`, which is borrowed until the task has
	/// ended. Returns the reason why the stream ended; silence does not end it before `deadline`.
	[[nodiscard]] vault::Task<Trouble> stream(
		std::string_view method, std::string json, const Line& line, Deadline deadline);

	[[nodiscard]] std::size_t endpoints() const { return _endpoints; }

	/// Returns the number of calls that were sent again, in time, since the connection that was kept for them did not
	/// answer: another connection to the same endpoint may hang as well.
	[[nodiscard]] unsigned resends() const { return _resends; }

private:
	Client(const Settings& settings, std::size_t endpoints, std::shared_ptr<vault::transport::Exchange> exchange);

	[[nodiscard]] vault::Task<Answer<std::string>> post(
		std::string_view method, const vault::WipedString& json, vault::BodyReader* reader, Deadline deadline);
	[[nodiscard]] vault::Task<Answer<void>> authenticate(Deadline deadline);
	[[nodiscard]] vault::Task<Answer<void>> authenticateOnce(Deadline deadline);
	[[nodiscard]] vault::Task<Answer<bool>> mayAskAgain(
		const Trouble& trouble, unsigned authentication, Deadline deadline);

	const std::string _user;
	const std::string _passwordFile;
	const std::size_t _endpoints;
	const std::shared_ptr<vault::transport::Exchange> _exchange;
	vault::WipedString _token;     ///< of the last authentication; empty: none
	unsigned _authentications = 0; ///< number of successful ones
	unsigned _resends = 0;         ///< see resends()
};

} // namespace issuer::fleet::etcd
