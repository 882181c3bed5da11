#include "fleet/etcd/probe.h"

#include "fleet/etcd/base64.h"
#include "fleet/etcd/client.h"
#include "fleet/etcd/keys.h"
#include "fleet/etcd/requests.h"
#include "fleet/etcd/troubles.h"
#include "fleet/etcd/values.h"

#include "common/text.h"
#include "transport/blocking.h"

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace issuer::fleet::etcd {

namespace {

using namespace std::chrono_literals;
using Kind = Trouble::Kind;

constexpr std::int64_t defaultQuota = 2LL << 30; ///< bytes of space that etcd has unless it is told otherwise
constexpr Revision manyRevisions = 1'000;        ///< a store with so many has been compacted before, or never is
constexpr milliseconds clocksDiffer = 2s;        ///< from here on it is told

/// Runs a task of the client on the calling thread to its end.
template <class Value>
Value finish(vault::Task<Value> task)
{
	auto wake = vault::Wake::ready;
	while (const auto wait = task.resume(wake)) {
		wake = vault::transport::block(*wait, -1);
	}
	return task.take();
}

std::string inMiB(std::int64_t bytes)
{
	return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

bool isDeniedByRights(const Trouble& trouble)
{
	return trouble.kind == Kind::denied && trouble.text.find("permission denied") != std::string::npos;
}

/// Returns whether a request without a user was refused for that: over TLS the gateway's own certificate may stand for
/// a user, one of no rights or one that does not exist.
bool wantsUser(const Trouble& trouble)
{
	return wantsAuthentication(trouble) || isDeniedByRights(trouble) ||
		   (trouble.kind == Kind::denied && trouble.text.find("user name not found") != std::string::npos);
}

/// Returns a sentence with the endpoint, which those of the transport begin with already.
std::string at(const std::string& endpoint, const Trouble& trouble)
{
	return trouble.text.starts_with(endpoint) ? trouble.text : endpoint + ": " + trouble.text;
}

/// Returns the next step after a trouble with an endpoint; empty: the trouble's own text names it.
std::string adviceFor(const Trouble& trouble)
{
	if (trouble.text.find("clientAuth") != std::string::npos) {
		return "give etcd a certificate with the usages serverAuth and clientAuth";
	}
	if (trouble.text.find("common name") != std::string::npos) {
		return "issue fleet.etcd.client_cert anew, without a common name";
	}
	if (trouble.text.find("no leader") != std::string::npos) {
		return "see whether most nodes of the cluster run and reach each other (etcdctl endpoint status --cluster)";
	}
	if (trouble.text.find("certificate") != std::string::npos) {
		return "see ca_file, client_cert and server_name in fleet.etcd";
	}
	return trouble.kind == Kind::away ? "see whether etcd runs there, and whether this machine reaches it" : "";
}

/// One look at an etcd.
class Probe
{
public:
	Probe(const Settings& settings, milliseconds limit) : _settings(settings), _keys(settings.fleet), _limit(limit) {}

	std::vector<Finding> run()
	{
		for (const auto& endpoint : _settings.endpoints) {
			lookAtEndpoint(endpoint);
		}
		if (_client) {
			begin();
			lookAtRights();
			lookAtCompaction();
			lookAtMembers();
		}
		return std::move(_findings);
	}

private:
	using Clock = std::chrono::steady_clock;

	void begin() { _deadline = Clock::now() + _limit; }
	void note(issuer_finding_level level, std::string topic, std::string text, std::string advice = {})
	{
		_findings.push_back({level, std::move(topic), std::move(text), std::move(advice)});
	}
	void problem(std::string topic, std::string text, std::string advice = {})
	{
		note(ISSUER_FINDING_PROBLEM, std::move(topic), std::move(text), std::move(advice));
	}

	[[nodiscard]] Answer<Json::Ptr> ask(Client& client, std::string_view method, std::string json) const
	{
		return finish(client.call(method, std::move(json), _deadline));
	}

	void lookAtEndpoint(const std::string& endpoint)
	{
		begin();
		auto settings = _settings;
		settings.endpoints = {endpoint};
		auto known = Client::create(settings);
		settings.user.clear();
		settings.passwordFile.clear();
		auto unknown = Client::create(settings);
		if (!known || !unknown) {
			problem("endpoint", "etcd." + (known ? unknown : known).error().text);
			return;
		}
		auto status = ask(**unknown, "maintenance/status", "{}");
		if (!status && wantsUser(status.error())) {
			status = ask(**known, "maintenance/status", "{}"); // etcd 3.5.30 does not tell it to all users
		}
		if (status) {
			takeStatus(endpoint, **status);
		}
		else if (isDeniedByRights(status.error())) {
			note(ISSUER_FINDING_OK, "endpoint",
				endpoint + " answers; it tells its version, space and alarms to etcd's administrators alone");
		}
		else if (status.error().kind != Kind::denied || !adviceFor(status.error()).empty()) {
			problem("endpoint", at(endpoint, status.error()), adviceFor(status.error()));
			return;
		} // else the look at the user tells why it is denied
		if (lookAtUser(endpoint, **unknown, **known) && lookAtWatch(endpoint, **known) && !_client) {
			_client = std::move(*known);
		}
	}

	/// Takes an endpoint's version, alarms and space.
	void takeStatus(const std::string& endpoint, const Json& status)
	{
		const auto version = textIn(status, "version");
		if (!version) {
			problem("endpoint", endpoint + " answers, but not as etcd does", "name the client port of an etcd v3");
			return;
		}
		const bool isPlain = endpoint.starts_with("http://");
		note(ISSUER_FINDING_OK, "endpoint",
			endpoint + " answers: etcd " + sanitize(*version) +
				(isPlain ? ", without TLS" : ", its certificate is verified"));
		const auto errors = arrayIn(status, "errors");
		for (unsigned at = 0; errors && at < errors->size(); ++at) {
			const auto text = errors->get(at).toString();
			if (text.find("NOSPACE") != text.npos) {
				problem("space", endpoint + " has an alarm: its space is used up, it takes no writes",
					"compact and defragment it, then disarm its alarm (etcdctl alarm disarm)");
			}
			else if (text.find("alarm") != text.npos) {
				problem(
					"alarm", endpoint + " has an alarm: " + sanitize(text.substr(0, 200)), "see etcdctl alarm list");
			}
		}
		takeSpace(endpoint, status);
	}

	/// Takes an endpoint's cluster and revision from a reply to any request.
	void takeHeader(const std::string& endpoint, const Json& reply)
	{
		const auto header = objectIn(reply, "header");
		const auto cluster = header ? textIn(*header, "cluster_id").value_or("") : std::string();
		if (!_cluster.empty() && cluster != _cluster) {
			problem("endpoint", endpoint + " belongs to another cluster than the endpoint before it",
				"name endpoints of one cluster in fleet.etcd.endpoints");
		}
		_cluster = cluster;
		_revision = std::max(_revision, revisionOf(reply));
	}

	void takeSpace(const std::string& endpoint, const Json& status)
	{
		const auto size = numberIn(status, "dbSize").value_or(0);
		const auto used = numberIn(status, "dbSizeInUse").value_or(size);
		const auto told = numberIn(status, "dbSizeQuota").value_or(0); // from etcd 3.6 on
		const auto quota = told > 0 ? told : defaultQuota;
		const auto text = endpoint + " stores " + inMiB(size) + ", " + inMiB(used) + " of it in use, of the " +
						  inMiB(quota) + (told > 0 ? " that it may" : " that etcd may unless told otherwise");
		if (size < quota / 5 * 4) {
			note(ISSUER_FINDING_OK, "space", text);
		}
		else {
			note(ISSUER_FINDING_WARN, "space", text + ": once full it takes no writes",
				used < size / 2 ? "defragment it (etcdctl defrag)"
								: "see that it is compacted, or give it more space (--quota-backend-bytes)");
		}
	}

	/// Returns whether the endpoint answers the configured user.
	bool lookAtUser(const std::string& endpoint, Client& unknown, Client& known)
	{
		const auto request = transaction({rangeOperation(_keys.members())});
		const auto open = ask(unknown, "kv/txn", request);
		const bool isForUsers = !open && wantsUser(open.error());
		if (!open && !isForUsers) {
			problem("endpoint", at(endpoint, open.error()), adviceFor(open.error()));
			return false;
		}
		if (open) {
			takeHeader(endpoint, **open);
		}
		if (_settings.user.empty()) {
			if (isForUsers) {
				problem("user", endpoint + " wants a user, and fleet.etcd names none",
					"set user and password in fleet.etcd");
			}
			return open.has_value();
		}
		if (open) {
			note(ISSUER_FINDING_WARN, "user",
				endpoint +
					" has no users: every client that reaches it may read and change all keys, and the password is "
					"not looked at",
				"make users there, then etcdctl auth enable");
			return true;
		}
		const auto answer = ask(known, "kv/txn", request);
		if (answer) {
			takeHeader(endpoint, **answer);
		}
		if (answer || isDeniedByRights(answer.error())) {
			note(ISSUER_FINDING_OK, "user", endpoint + " takes the password of the user " + sanitize(_settings.user));
			return true; // the rights are told apart later
		}
		problem("user", at(endpoint, answer.error()),
			answer.error().kind == Kind::denied && adviceFor(answer.error()).empty()
				? "set the password of etcd's user in the file of fleet.etcd.password"
				: adviceFor(answer.error()));
		return false;
	}

	/// Returns whether a watch of the members begins there.
	bool lookAtWatch(const std::string& endpoint, Client& client)
	{
		constexpr int watches = 2;
		int begun = 0;
		std::optional<Trouble> refused;
		const Client::Line line = [&](const Json& result) -> Answer<void> {
			if (isTrueIn(result, "canceled")) {
				const auto reason = textIn(result, "cancel_reason").value_or("").substr(0, 200);
				refused = Trouble{Kind::denied, "etcd refuses: «" + sanitize(reason) + "»"};
			}
			begun += isTrueIn(result, "created") ? 1 : 0;
			return refused || begun == watches ? tl::unexpected(Trouble{Kind::cancelled, "seen"}) : Answer<void>();
		};
		const auto why =
			finish(client.stream("watch", watchRequest(_keys.members(), _keys.lists(), 0), line, _deadline));
		if (refused && isDeniedByRights(*refused)) {
			return true; // told with the rights
		}
		if (refused || why.kind != Kind::cancelled) {
			problem("watch", endpoint + " begins no watch of the members: " + (refused ? *refused : why).text,
				"see whether it knows a leader, and whether something in between keeps replies back until they end");
			return false;
		}
		note(ISSUER_FINDING_OK, "watch", endpoint + " begins a watch of the members");
		return true;
	}

	/// Asks for one key of the whole prefix. `at`: the revision to read; 0: the newest.
	[[nodiscard]] Answer<Json::Ptr> readOne(Revision at) const
	{
		const auto& prefix = _keys.prefix();
		return ask(*_client, "kv/range",
			R"({"key":")" + base64(prefix) + R"(","range_end":")" + base64(endOf(prefix)) + R"(","revision":")" +
				std::to_string(at) + R"(","limit":"1","keys_only":true})");
	}

	/// Looks whether the user may read and write. A transaction without a condition never fails, so that what it would
	/// do on failure is not done; etcd asks for the rights of that, too.
	void lookAtRights()
	{
		tellRight("read", readOne(0));
		std::vector<std::string> puts;
		for (const auto& folder : {_keys.members(), _keys.lists(), _keys.states(0), _keys.pulses()}) {
			puts.push_back(putOperation(folder + "doctor", "", 0));
		}
		auto request = transaction(puts);
		request.replace(0, std::string_view(R"({"success")").size(), R"({"failure")");
		const auto write = ask(*_client, "kv/txn", std::move(request));
		if (!write && write.error().kind == Kind::full) {
			return; // told with the space
		}
		tellRight("write", write);
	}

	void tellRight(const std::string& what, const Answer<Json::Ptr>& answer)
	{
		const auto& prefix = _keys.prefix();
		const auto user = _settings.user.empty() ? std::string("every client") : "the user " + sanitize(_settings.user);
		if (answer) {
			note(ISSUER_FINDING_OK, "rights", user + " may " + what + " below " + prefix);
			return;
		}
		const bool isDenied = answer.error().kind == Kind::denied;
		problem("rights",
			isDenied ? user + " may not " + what + " below " + prefix
					 : "cannot " + what + " below " + prefix + ": " + answer.error().text,
			isDenied ? "etcdctl role grant-permission ROLE readwrite --prefix " + prefix : "");
	}

	/// Warns of a store that is never compacted: one that can be read as it was at its first revision.
	void lookAtCompaction()
	{
		if (_revision < manyRevisions) {
			return;
		}
		if (readOne(1)) {
			note(ISSUER_FINDING_WARN, "compaction",
				"none of its " + std::to_string(_revision) + " revisions was ever compacted: its space fills up",
				"run etcd with --auto-compaction-mode=periodic --auto-compaction-retention=5m");
		}
	}

	/// Names the members and looks at their clocks, as far as their records tell: each holds the time of its last put.
	void lookAtMembers()
	{
		const auto reply = ask(*_client, "kv/txn", transaction({rangeOperation(_keys.members())}));
		if (!reply) {
			return; // told before
		}
		const auto now = _settings.wall ? _settings.wall()
										: std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
		std::string names;
		std::size_t count = 0;
		eachKey(**reply, [&](const KeyValue& key) {
			const auto name = Keys::nameIn(_keys.members(), key.key);
			const auto record = name ? recordFrom(*name, key.value) : std::nullopt;
			if (!record) {
				return;
			}
			++count;
			names += (names.empty() ? ": " : ", ") + sanitize(*name);
			takeClock(*record, now);
		});
		note(ISSUER_FINDING_OK, "members",
			std::to_string(count) + (count == 1 ? " member now" : " members now") + names);
	}

	void takeClock(const MemberRecord& record, WallTime now)
	{
		const auto ahead = record.written - now;
		const auto behind = -ahead - _settings.recordLasts - _settings.takeover;
		if (std::max(ahead, behind) > clocksDiffer) {
			const auto seconds = std::chrono::round<std::chrono::seconds>(std::max(ahead, behind)).count();
			note(ISSUER_FINDING_WARN, "clocks",
				"the clock of " + sanitize(record.name) + " is at least " + std::to_string(seconds) + " s " +
					(ahead > behind ? "ahead of" : "behind") + " this machine's",
				"have both machines' clocks set by NTP (chronyc tracking)");
		}
	}

	const Settings& _settings;
	const Keys _keys;
	const milliseconds _limit;
	Client::Deadline _deadline;
	std::vector<Finding> _findings;
	std::unique_ptr<Client> _client; ///< of the first endpoint that answers the user; null: none does
	std::string _cluster;            ///< of the endpoint before
	Revision _revision = 0;
};

} // namespace

std::vector<Finding> probe(const Settings& settings, milliseconds limit)
{
	return Probe(settings, limit).run();
}

} // namespace issuer::fleet::etcd
