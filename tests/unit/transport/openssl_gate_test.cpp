#include "temp_dir.h"
#include "test_pki.h"
#include "transport/client_certificate.h"
#include "transport/file_backed.h"
#include "transport/roots.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/crypto.h>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace issuer::vault::transport {
namespace {

/// Counts the objects of one class that OpenSSL frees anywhere in the process.
template <int exDataClass>
unsigned freed()
{
	static std::atomic<unsigned> count = 0;
	static const int index = CRYPTO_get_ex_new_index(
		exDataClass, 0, nullptr, nullptr, nullptr, [](void*, void*, CRYPTO_EX_DATA*, int, long, void*) { ++count; });
	EXPECT_GE(index, 0);
	return count;
}

/// Tells when a thread came after the end.
class Gate final : public OpensslGate
{
public:
	std::binary_semaphore stayedOut{0};

protected:
	[[noreturn]] void stayOut() noexcept override
	{
		stayedOut.release();
		OpensslGate::stayOut();
	}
};

/// A look in whose middle the process begins to exit: when it comes to the file that is named.
class Overtaken final : public Reading
{
public:
	Overtaken(Gate& gate, std::string at, std::function<void()> end)
		: Reading(gate), _gate(gate), _at(std::move(at)), _end(std::move(end))
	{
	}

	void at(const std::string& what) override
	{
		if (what.ends_with(_at)) {
			_gate.close();
			_end();
		}
	}

private:
	Gate& _gate;
	std::string _at;
	std::function<void()> _end;
};

/// Runs `look` on a thread of its own, which is left where it stays, as a helper is at exit. Returns the number of
/// objects of a class that it freed after the end.
template <int exDataClass>
unsigned freedAfterTheEnd(const std::string& at, std::function<void(Reading&)> look)
{
	struct Shared // outlives the test, as the thread does
	{
		Gate gate;
		unsigned before = 0;
	};
	auto* const shared = new Shared();
	freed<exDataClass>();
	std::thread([shared, at, look = std::move(look)] {
		Overtaken reading(shared->gate, at, [shared] { shared->before = freed<exDataClass>(); });
		look(reading);
		shared->gate.stayedOut.release();
	}).detach();
	shared->gate.stayedOut.acquire();
	return freed<exDataClass>() - shared->before;
}

class OpensslGateTest : public testing::Test
{
protected:
	const test::TempDir directory;
	test::TestPki pki{directory.path()};
	const std::string absent = (directory.path() / "absent").string();
};

TEST_F(OpensslGateTest, AnExitAmidRootsFreesNoneOfThem)
{
	const auto look = [good = pki.caFile().string(), this](
						  Reading& reading) { static_cast<void>(RootsSource(good, absent, {}).read(reading)); };
	EXPECT_EQ(freedAfterTheEnd<CRYPTO_EX_INDEX_X509_STORE>(absent, look), 0U);
}

TEST_F(OpensslGateTest, AnExitBeforeTheKeyIsReadFreesNoCertificate)
{
	const auto look = [good = pki.client().certificate.string(), this](
						  Reading& reading) { static_cast<void>(ClientCertificateSource(good, absent).read(reading)); };
	EXPECT_EQ(freedAfterTheEnd<CRYPTO_EX_INDEX_X509>(absent, look), 0U);
}

/// The values that a look reads; counts the values destroyed.
struct Counted
{
	std::shared_ptr<std::atomic<unsigned>> destroyed;
	~Counted() { ++*destroyed; }
};

/// Its owner goes and the process begins to exit while it is read.
struct AbandonedSource
{
	using Value = Counted;

	std::shared_ptr<std::atomic<unsigned>> destroyed;
	std::function<void()> abandon;

	[[nodiscard]] std::string name() const { return "CA file /x.pem"; }
	[[nodiscard]] std::string key() const { return "/"; }
	[[nodiscard]] std::vector<FileStamp> stamps(Reading&) const { return {FileStamp{.inode = 1}}; }
	[[nodiscard]] FileResult<std::shared_ptr<const Value>> read(Reading&) const
	{
		auto value = std::make_shared<const Counted>(Counted{destroyed});
		destroyed->store(0); // the temporary
		abandon();
		return value;
	}
	void advise(const Value&, std::vector<std::string>&) const {}
};

TEST_F(OpensslGateTest, ALookThatOutlivesItsOwnerAndTheProcessFreesNothing)
{
	const auto gate = std::make_shared<Gate>();
	const auto destroyed = std::make_shared<std::atomic<unsigned>>(0);
	const auto helpers = std::make_shared<runtime::Helpers>();
	std::shared_ptr<FileBacked<AbandonedSource>> backed;
	std::binary_semaphore mayGo(0);
	backed = std::make_shared<FileBacked<AbandonedSource>>(helpers,
		AbandonedSource{destroyed,
			[&] {
				mayGo.acquire();
				gate->close();
			}},
		gate);
	static_cast<void>(backed->refresh());
	backed.reset();
	mayGo.release();
	ASSERT_TRUE(gate->stayedOut.try_acquire_for(std::chrono::seconds(30)));
	EXPECT_EQ(*destroyed, 0U);
}

} // namespace
} // namespace issuer::vault::transport
