// The host's own rooms, swapping all their issuers at once between two builds of a plugin, again and again.
//
//     swap_host CONFIG_DIR SWAPS PAUSE_MS PLUGIN_A PLUGIN_B
//
// One issuer a file in CONFIG_DIR. After each swap every issuer has to renew before the next; with a PAUSE_MS other
// than 0 they are left to their own plan, and swaps come that far apart. The last line is JSON with what happened and
// what the process looked like at the beginning and at the end.
#include "conformance/process_view.h"
#include "registry/registry.h"

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

namespace {

namespace fs = std::filesystem;
using namespace issuer;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int warmUp = 10; // swaps after which everything that is opened once has been opened
constexpr std::chrono::seconds patience{60};

/// Counts the events, and knows which issuers have renewed.
class Ledger final : public observe::EventSink
{
public:
	void event(std::string_view issuer, const issuer_event& event) override
	{
		if (event.kind != ISSUER_EVENT_RENEWAL) {
			return;
		}
		const std::lock_guard lock(_mutex);
		if (event.result == ISSUER_RESULT_SUCCESS) {
			++renewals;
			_renewed.emplace(issuer);
			_changed.notify_all();
			return;
		}
		++failures;
		std::cerr << issuer << ": " << std::string_view(event.detail.ptr, event.detail.len) << '\n';
	}

	void log(std::string_view issuer, issuer_log_level level, std::string_view, std::string_view text) override
	{
		if (level >= ISSUER_LOG_WARN) {
			std::cerr << issuer << ": " << text << '\n';
		}
	}

	void notice(const observe::Notice& notice) override
	{
		const std::lock_guard lock(_mutex);
		unloaded += notice.action == observe::Action::unloaded;
		pinned += notice.action == observe::Action::pinned;
		_started += notice.action == observe::Action::started;
		_changed.notify_all();
		if (notice.level >= ISSUER_LOG_WARN) {
			std::cerr << notice.issuer << ": " << notice.text << '\n';
		}
	}

	void forgetRenewals()
	{
		const std::lock_guard lock(_mutex);
		_renewed.clear();
	}

	[[nodiscard]] bool awaitRenewals(std::size_t issuers)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, patience, [&] { return _renewed.size() == issuers; });
	}

	[[nodiscard]] bool awaitStarts(std::size_t issuers)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, patience, [&] { return _started == issuers; });
	}

	/// Sleeps until `then`: the pause is the purpose here, not a hope that something has happened.
	void pauseUntil(steady_clock::time_point then)
	{
		std::unique_lock lock(_mutex);
		_changed.wait_until(lock, then, [] { return false; });
	}

	std::uint64_t renewals = 0;
	std::uint64_t failures = 0;
	std::uint64_t unloaded = 0;
	std::uint64_t pinned = 0;

private:
	std::mutex _mutex;
	std::condition_variable _changed;
	std::set<std::string, std::less<>> _renewed;
	std::size_t _started = 0;
};

std::string figures()
{
	return "{\"rss_kib\":" + std::to_string(conformance::residentKib()) +
		   ",\"fds\":" + std::to_string(conformance::openFiles().size()) +
		   ",\"threads\":" + std::to_string(conformance::threads().size()) + '}';
}

std::vector<registry::IssuerSpec> specsOf(const fs::path& directory)
{
	std::vector<registry::IssuerSpec> specs;
	for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
		std::ifstream file(entry.path());
		specs.push_back({entry.path().stem(), {}, {std::istreambuf_iterator<char>(file), {}}});
	}
	return specs;
}

struct Report
{
	std::string first;
	std::uint64_t swapped = 0;
	std::uint64_t rolledBack = 0;
	std::uint64_t stillMapped = 0;
	steady_clock::duration inSwaps{};
	steady_clock::duration longest{};
};

int fail(const std::string& why)
{
	std::cerr << "swap_host: " << why << '\n';
	return EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv)
{
	if (argc != 6) {
		return fail("usage: swap_host CONFIG_DIR SWAPS PAUSE_MS PLUGIN_A PLUGIN_B");
	}
	const int swaps = std::stoi(argv[2]);
	const milliseconds pause(std::stoi(argv[3]));
	std::vector<registry::IssuerSpec> specs = specsOf(argv[1]);
	const auto use = [&](const fs::path& plugin) {
		std::ranges::for_each(specs, [&](registry::IssuerSpec& spec) { spec.plugin.path = plugin; });
	};

	const auto ledger = std::make_shared<Ledger>();
	loader::PluginLibraries plugins;
	registry::Surroundings surroundings;
	surroundings.sink = ledger;
	surroundings.backoff = [](unsigned, bool) { return milliseconds(100); };
	registry::Registry registry(plugins, surroundings);

	use(argv[4]);
	if (const auto begun = registry.apply(specs); !begun) {
		return fail(begun.error().text);
	}
	if (!ledger->awaitStarts(specs.size())) {
		return fail("not all issuers have started");
	}
	Report report;
	auto next = steady_clock::now();
	for (int swap = 1; swap <= swaps; ++swap) {
		if (pause > milliseconds(0)) {
			ledger->pauseUntil(next += pause);
		}
		const fs::path old = specs.front().plugin.path;
		use(argv[4 + swap % 2]);
		ledger->forgetRenewals();
		const auto begun = steady_clock::now();
		const auto changes = registry.apply(specs);
		const auto took = steady_clock::now() - begun;
		if (!changes) {
			return fail(changes.error().text);
		}
		report.swapped += changes->swapped;
		report.rolledBack += changes->rolledBack;
		report.inSwaps += took;
		report.longest = std::max(report.longest, took);
		report.stillMapped += conformance::isInMaps(old);
		if (pause == milliseconds(0)) {
			for (const registry::IssuerSpec& spec : specs) { // a plugin without issuer.control/1 renews when it likes
				static_cast<void>(registry.nudge(spec.name, registry::Nudge::renewNow));
			}
			if (!ledger->awaitRenewals(specs.size())) {
				return fail("not all issuers have renewed after swap " + std::to_string(swap));
			}
		}
		if (swap == warmUp) {
			report.first = figures();
		}
	}
	const std::string last = figures();
	if (!registry.stopAll()) {
		return fail("not all issuers have stopped");
	}
	const auto micros = [](steady_clock::duration time) {
		return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
	};
	std::cout << "{\"first\":" << report.first << ",\"last\":" << last << ",\"swaps\":" << swaps
			  << ",\"swapped\":" << report.swapped << ",\"rolled_back\":" << report.rolledBack
			  << ",\"renewals\":" << ledger->renewals << ",\"failures\":" << ledger->failures
			  << ",\"unloaded\":" << ledger->unloaded << ",\"pinned\":" << ledger->pinned
			  << ",\"still_mapped\":" << report.stillMapped << ",\"longest_us\":" << micros(report.longest)
			  << ",\"us_per_issuer\":" << micros(report.inSwaps / std::max<std::uint64_t>(report.swapped, 1)) << "}\n";
	return EXIT_SUCCESS;
}
