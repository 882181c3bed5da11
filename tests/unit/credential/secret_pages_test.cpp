#include "credential/secret.h"
#include "credential/secret_pages.h"
#include "emulation.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <latch>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

/// A line of /proc/self/maps with its flags from /proc/self/smaps.
struct Mapping
{
	std::uintptr_t begin = 0;
	std::uintptr_t end = 0;
	std::vector<std::string> flags;

	[[nodiscard]] bool has(const std::string& flag) const { return std::ranges::find(flags, flag) != flags.end(); }
	[[nodiscard]] bool isSecret() const { return has("dd") && has("wf"); } // not dumped, wiped on fork
	[[nodiscard]] bool holds(const void* place) const
	{
		const auto address = reinterpret_cast<std::uintptr_t>(place);
		return begin <= address && address < end;
	}
};

std::vector<Mapping> mappings()
{
	std::vector<Mapping> all;
	std::ifstream smaps("/proc/self/smaps");
	for (std::string line; std::getline(smaps, line);) {
		std::istringstream words(line);
		std::string first;
		words >> first;
		if (first == "VmFlags:") {
			for (std::string flag; words >> flag;) {
				all.back().flags.push_back(flag);
			}
		}
		else if (const auto dash = first.find('-'); dash != first.npos) {
			all.push_back({std::stoull(first.substr(0, dash), nullptr, 16),
				std::stoull(first.substr(dash + 1), nullptr, 16), {}});
		}
	}
	return all;
}

std::size_t secretBytes()
{
	std::size_t bytes = 0;
	for (const auto& mapping : mappings()) {
		bytes += mapping.isSecret() ? mapping.end - mapping.begin : 0;
	}
	return bytes;
}

bool isZero(const char* data, std::size_t size)
{
	return std::all_of(data, data + size, [](char c) { return c == 0; });
}

TEST(SecretPages, AreLeftOutOfCoreDumpsAndOfForks)
{
	if (test::underEmulation()) {
		GTEST_SKIP() << "the emulator's /proc/self/smaps does not show how pages are marked";
	}
	for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{5000}, longestSecret}) {
		const Secret secret(std::string(size, 'x'));
		const auto all = mappings();
		for (const char* const place : {secret.view().data(), secret.view().data() + size - 1}) {
			const auto mapping = std::ranges::find_if(all, [&](const Mapping& each) { return each.holds(place); });
			ASSERT_NE(mapping, all.end());
			EXPECT_TRUE(mapping->has("dd")) << size << " bytes would be in a core dump";
			EXPECT_TRUE(mapping->has("wf")) << size << " bytes would be in a child";
		}
	}
}

TEST(SecretPages, AChildReadsZerosAndMayDropWhatItInherited)
{
	if (test::underEmulation()) {
		GTEST_SKIP() << "the emulator wipes no pages in a child";
	}
	auto secret = std::make_unique<Secret>("s.TOKEN");
	const auto child = ::fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		const auto view = secret->view();
		const bool wiped = isZero(view.data(), view.size());
		secret.reset();
		::_exit(wiped ? 0 : 1);
	}
	int status = 0;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 0);
	EXPECT_EQ(secret->view(), "s.TOKEN");
}

TEST(SecretPages, ASlotIsOverwrittenWhenItIsGivenBackAndThenUsedAgain)
{
	const Secret neighbour("keeps the pages mapped");
	auto secret = std::make_unique<Secret>("s.TOKEN");
	const char* const place = secret->view().data();
	secret.reset();
	EXPECT_TRUE(isZero(place, 64));
	EXPECT_EQ(Secret("s.ANOTHER").view().data(), place);
}

TEST(SecretPages, NothingStaysMappedAfterTheLastSecret)
{
	if (test::underEmulation()) {
		GTEST_SKIP() << "the emulator's /proc/self/smaps does not show how pages are marked";
	}
	ASSERT_EQ(secretBytes(), 0U);
	{
		std::vector<Secret> secrets;
		for (std::size_t size = 1; size <= longestSecret; size = size * 3 / 2 + 1) {
			secrets.emplace_back(std::string(size, 'x'));
		}
		EXPECT_GT(secretBytes(), 0U);
	}
	EXPECT_EQ(secretBytes(), 0U);
}

TEST(SecretPages, TenThousandTokensShareThem)
{
	std::vector<Secret> secrets;
	for (int i = 0; i < 10'000; ++i) {
		secrets.emplace_back("hvs." + std::to_string(i) + std::string(91, 'x'));
	}
	EXPECT_LE(secretBytes(), std::size_t{1500} * 1024);
	for (std::size_t i = 0; i < secrets.size(); ++i) {
		ASSERT_TRUE(secrets[i].equals("hvs." + std::to_string(i) + std::string(91, 'x')));
	}
}

TEST(SecretPages, HolesAnywhereAreFilledBeforeMoreIsMapped)
{
	std::vector<Secret> secrets;
	for (int i = 0; i < 5'000; ++i) {
		secrets.emplace_back("s." + std::to_string(i));
	}
	const auto full = secretBytes();
	for (std::size_t i = 0; i < secrets.size(); i += 3) {
		secrets[i] = Secret();
	}
	for (std::size_t i = 0; i < secrets.size(); i += 3) {
		secrets[i] = Secret("s." + std::to_string(i));
	}
	EXPECT_EQ(secretBytes(), full);
	for (std::size_t i = 0; i < secrets.size(); ++i) {
		ASSERT_TRUE(secrets[i].equals("s." + std::to_string(i)));
	}
}

TEST(SecretPages, ManyThreadsTakeAndGiveBackWithoutDisturbingEachOther)
{
	constexpr int threads = 4;
	std::latch start(threads);
	std::vector<std::thread> workers;
	std::atomic<int> disturbed = 0;
	for (int worker = 0; worker < threads; ++worker) {
		workers.emplace_back([&, worker] {
			std::vector<Secret> held(32);
			start.arrive_and_wait();
			for (std::size_t round = 0; round < 4'000; ++round) {
				auto& secret = held[round % held.size()];
				const std::string text(1 + round * 37 % 300, static_cast<char>('a' + worker));
				secret = Secret(text);
				const auto& other = held[(round + 7) % held.size()];
				const bool intact = secret.equals(text) && other.equals(std::string(other.view().size(), text[0]));
				disturbed += intact ? 0 : 1;
			}
		});
	}
	for (auto& worker : workers) {
		worker.join();
	}
	EXPECT_EQ(disturbed, 0);
	EXPECT_EQ(secretBytes(), 0U);
}

} // namespace
} // namespace issuer::vault::credential
