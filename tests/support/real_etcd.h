#pragma once

#include "fleet/etcd/client.h"
#include "temp_dir.h"
#include "test_pki.h"
#include "transport/blocking.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::test {

class ChildProcess;

/// etcd from PATH, one node or a cluster on loopback. The thread that makes it must live as long as the object; it
/// belongs to one thread at a time.
class RealEtcd
{
public:
	static constexpr const char* missing = "etcd is not installed (package etcd-server)";
	[[nodiscard]] static bool isInstalled();

	struct Options
	{
		std::size_t nodes = 1;
		std::optional<Identity> tls = {};    ///< none: plain
		std::filesystem::path clientCa = {}; ///< not empty: clients must show a certificate of this authority
		std::optional<Identity> shown = {};  ///< shown by ask(), and by clients with settings()
		bool answers = true; ///< false: its gateway is broken, and the constructor waits for an answer of any kind
	};

	RealEtcd() : RealEtcd(Options()) {}
	/// Throws std::runtime_error when it does not start.
	explicit RealEtcd(Options options);
	~RealEtcd();
	RealEtcd(const RealEtcd&) = delete;
	RealEtcd& operator=(const RealEtcd&) = delete;

	[[nodiscard]] std::string address(std::size_t node = 0) const;
	[[nodiscard]] std::vector<std::string> addresses() const;
	[[nodiscard]] std::uint16_t port(std::size_t node = 0) const { return _nodes[node].port; }

	void kill(std::size_t node = 0);
	void start(std::size_t node = 0); ///< with the data it had; waits until it answers
	void wipe(std::size_t node = 0);  ///< kills it and removes its data
	void freeze(std::size_t node = 0) const;
	void thaw(std::size_t node = 0) const;
	/// Waits until this node knows a leader. Throws std::runtime_error after a minute.
	void awaitLeader(std::size_t node = 0) const;

	/// Calls the gateway as an operator would; throws std::runtime_error where etcd refuses.
	fleet::etcd::Json::Ptr ask(const std::string& method, const std::string& json, std::size_t node = 0) const;
	/// Returns the settings of a client of all nodes.
	[[nodiscard]] fleet::etcd::Settings settings() const;
	/// Returns every key and value, decoded, for tests that search them.
	[[nodiscard]] std::string dump() const;
	/// Returns the keys that begin with `prefix`.
	[[nodiscard]] std::vector<std::string> keys(const std::string& prefix) const;

	/// Token for ask(), once users are enabled.
	void authenticateAs(const std::string& user, const std::filesystem::path& passwordFile);

private:
	struct Node
	{
		std::uint16_t port = 0;
		std::uint16_t peerPort = 0;
		std::unique_ptr<ChildProcess> process;
	};
	void launch(std::size_t node);
	[[nodiscard]] bool answers(std::size_t node) const;
	[[nodiscard]] fleet::etcd::Settings settingsOf(std::vector<std::string> endpoints) const;

	const Options _options;
	TempDir _home;
	std::filesystem::path _program;
	std::vector<Node> _nodes;
	std::string _user;
	std::filesystem::path _passwordFile;
};

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

} // namespace issuer::test
