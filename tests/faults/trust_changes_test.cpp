#include "trust_fixture.h"

#include <fcntl.h>
#include <thread>
#include <unistd.h>

/// Files of trusted authorities and client certificates that change or hang while connections use them.
namespace issuer::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using vault::transport::Clients;
using Kind = ExchangeError::Kind;

bool advises(const ExchangeResult& reply, const std::string& text)
{
	return reply && testing::Matches(testing::Contains(HasSubstr(text)))(reply->advice);
}

/// A file whose reader hangs until something is written to it.
class HangingFile
{
public:
	explicit HangingFile(std::filesystem::path path) : _path(std::move(path))
	{
		const auto fifo = _path.string() + ".fifo";
		EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
		std::filesystem::rename(fifo, _path);
	}
	/// Waits until the file is read, gives the reader `text`, and is a file that holds `text` from then on.
	void answer(const std::string& text)
	{
		_answered = true;
		const auto limit = std::chrono::steady_clock::now() + patience;
		int writer = -1;
		while (writer < 0 && std::chrono::steady_clock::now() < limit) {
			writer = ::open(_path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC); // fails while there is no reader
			std::this_thread::yield();
		}
		ASSERT_GE(writer, 0) << "no reader of " << _path;
		const auto whole = _path.string() + ".whole";
		std::ofstream(whole) << text;
		std::filesystem::rename(whole, _path);
		EXPECT_EQ(::write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
		::close(writer);
	}
	~HangingFile()
	{
		if (!_answered) {
			answer("");
		}
	}
	HangingFile(const HangingFile&) = delete;
	HangingFile& operator=(const HangingFile&) = delete;

private:
	std::filesystem::path _path;
	bool _answered = false;
};

TEST(Trust, AFileThatHangsLeavesTheBytesReadBeforeInUseAndIsTold)
{
	auto& pki = Pki::shared();
	FaultServer server(with(pki.server));
	const TempDir directory;
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = directory.write("ca.pem", textOf(pki.authority.caFile()));
	const auto client = Clients().get(settings);
	ASSERT_TRUE(renew(*client).has_value());

	HangingFile hanging(settings.tls.caFile);
	const auto isTold = [&](const ExchangeResult& reply) {
		return !reply || advises(reply, "CA file " + settings.tls.caFile +
											" hangs: its file system does not answer; "
											"the content read before stays in use");
	};
	const auto meanwhile = renewUntil(*client, isTold);
	ASSERT_TRUE(meanwhile.has_value()) << told(meanwhile);
	EXPECT_TRUE(isTold(meanwhile));
	hanging.answer(textOf(pki.authority.caFile()));
	const auto after = renewUntil(*client, [](const ExchangeResult& reply) { return !reply || reply->advice.empty(); });
	ASSERT_TRUE(after.has_value()) << told(after);
	EXPECT_THAT(after->advice, testing::IsEmpty());
}

TEST(Trust, TheFirstReadingIsAwaitedWithinTheDeadlineAndCanBeStopped)
{
	auto& pki = Pki::shared();
	FaultServer server(with(pki.server));
	const TempDir directory;
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = directory.path() / "ca.pem";
	HangingFile hanging(settings.tls.caFile);
	const auto client = Clients().get(settings);

	const auto late = renew(*client, std::chrono::milliseconds(50));
	ASSERT_FALSE(late.has_value());
	EXPECT_EQ(late.error().kind, Kind::timeout);
	EXPECT_THAT(late.error().text, HasSubstr("CA file " + settings.tls.caFile + ": no time left while reading it"));
	EXPECT_TRUE(late.error().unsent);

	const Stop stop;
	auto stopped = std::async(std::launch::async, [&] { return renew(*client, patience, stop.fd()); });
	stop.now();
	EXPECT_EQ(stopped.get().error().kind, Kind::cancelled);

	auto waiting = std::async(std::launch::async, [&] { return renew(*client); });
	auto another = std::async(std::launch::async, [&] { return renew(*client); });
	hanging.answer(textOf(pki.authority.caFile()));
	EXPECT_TRUE(waiting.get().has_value());
	EXPECT_TRUE(another.get().has_value());
}

TEST(Trust, ReadingBeginsBeforeTheFirstExchange)
{
	const TempDir directory;
	auto settings = settingsFor({"https://127.0.0.1:1"});
	settings.tls.caFile = directory.path() / "ca.pem";
	HangingFile hanging(settings.tls.caFile);
	const auto client = Clients().get(settings);
	hanging.answer("read"); // returns, as there is a reader
}

TEST(Trust, NothingIsReadForPlainHttp)
{
	FaultServer server;
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = "/nowhere/ca.pem";
	expectTrusted(settings);
}

TEST(Trust, AClientCertificateIsReplacedOnceBothOfItsFilesAre)
{
	TempDir directory;
	TestPki pki(directory.path());
	auto options = with(pki.server());
	options.clientCa = pki.caFile();
	FaultServer server(options);
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = pki.caFile();
	const auto first = pki.issue("client", {.validTo = std::chrono::hours(24), .forClient = true});
	settings.tls.clientCert = first.certificate;
	settings.tls.clientKey = first.key;
	const auto client = Clients().get(settings);
	ASSERT_TRUE(renew(*client).has_value());
	ASSERT_EQ(server.connections(), 1u);

	const auto second = pki.issue("second", {.validTo = std::chrono::hours(24 * 60), .forClient = true});
	std::filesystem::rename(second.certificate, first.certificate);
	const auto between = renewUntil(
		*client, [](const ExchangeResult& reply) { return !reply || advises(reply, "must be the matching"); });
	EXPECT_TRUE(advises(between, "must be the matching")) << told(between);
	std::filesystem::rename(second.key, first.key);
	const auto after = renewUntil(*client, [](const ExchangeResult& reply) { return !reply || reply->advice.empty(); });
	ASSERT_TRUE(after.has_value()) << told(after);
	ASSERT_TRUE(renew(*client).has_value()); // the reply before may have come while they were read
	EXPECT_EQ(server.connections(), 2u) << "with the new one, and without one in between";
}

TEST(Trust, WithoutAThreadToReadWithTheBytesReadBeforeStayInUse)
{
	vault::runtime::Helpers::Options none;
	none.mostEver = 0;
	vault::transport::Trust trust(std::make_shared<vault::runtime::Helpers>(none));
	const auto identity = trust.identity(withCaFile(Pki::shared().authority.caFile()));
	const auto ready = vault::transport::blockingly(identity->ready(std::chrono::steady_clock::now() + patience));
	ASSERT_FALSE(ready.has_value());
	EXPECT_EQ(ready.error().kind, Kind::network);
	EXPECT_THAT(ready.error().text, HasSubstr("no thread left"));
}

TEST(Trust, ACertificateAboutToEndIsToldWithEachReply)
{
	auto& authority = Pki::shared().authority;
	FaultServer server(with(Pki::shared().server));
	auto settings = trusting({server.address()});
	const auto soon = authority.issue("soon", {.validTo = std::chrono::hours(24 * 29), .forClient = true});
	settings.tls.clientCert = soon.certificate;
	settings.tls.clientKey = soon.key;
	const auto client = Clients().get(settings);
	for (int i = 0; i < 2; ++i) {
		EXPECT_THAT(renew(*client)->advice, ElementsAre(HasSubstr("soon.pem ends 20")));
	}
	const auto late = authority.issue("late", {.validTo = std::chrono::hours(24 * 31), .forClient = true});
	settings.tls.clientCert = late.certificate;
	settings.tls.clientKey = late.key;
	EXPECT_THAT(renew(settings)->advice, testing::IsEmpty());
}

TEST(Trust, FilesThatChangeAreReadAgainAndOldConnectionsLeft)
{
	const TempDir directory;
	auto first = std::make_unique<TestPki>(directory.path());
	FaultServer server(with(first->server()));
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = first->caFile();
	const auto client = Clients().get(settings);
	ASSERT_TRUE(renew(*client).has_value());

	const TempDir elsewhere;
	TestPki second(elsewhere.path());
	std::filesystem::rename(second.caFile(), first->caFile());
	// The files are looked at once a second: from then on the server's authority is unknown.
	const auto limit = std::chrono::steady_clock::now() + patience;
	auto reply = renew(*client);
	while (reply && std::chrono::steady_clock::now() < limit) {
		reply = renew(*client);
	}
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, Kind::tls);
}

TEST(Trust, ChangedFilesThatCannotBeReadLeaveTheOldOnesInUse)
{
	const TempDir directory;
	TestPki pki(directory.path());
	FaultServer server(with(pki.server()));
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = pki.caFile();
	const auto client = Clients().get(settings);
	ASSERT_TRUE(renew(*client).has_value());

	directory.write("ca.pem", "half a certif");
	const auto limit = std::chrono::steady_clock::now() + patience;
	auto reply = renew(*client);
	while (reply && reply->advice.empty() && std::chrono::steady_clock::now() < limit) {
		reply = renew(*client);
	}
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_THAT(reply->advice, ElementsAre(HasSubstr("no usable PEM certificate")));
}

TEST(Trust, UnusableFilesAreNamed)
{
	const TempDir directory;
	auto& pki = Pki::shared();
	const auto junk = directory.write("junk.pem", "junk").string();
	const auto client = pki.authority.client();
	const auto other = pki.authority.issue("other-client", {.forClient = true});
	struct Files
	{
		std::string caFile, caDir, clientCert, clientKey;
	};
	const auto expectNamed = [](const Files& files, const std::string& text) {
		auto settings = settingsFor({"https://127.0.0.1:1"});
		settings.tls = {files.caFile, files.caDir, files.clientCert, files.clientKey, "", false};
		const auto reply = renew(settings);
		ASSERT_FALSE(reply.has_value());
		EXPECT_EQ(reply.error().kind, Kind::configuration);
		EXPECT_THAT(reply.error().text, HasSubstr(text));
	};
	expectNamed({"/nowhere/ca.pem", "", "", ""}, "CA file /nowhere/ca.pem: No such file");
	expectNamed({junk, "", "", ""}, "CA file " + junk + " holds no usable");
	expectNamed({directory.path(), "", "", ""}, "is a directory");
	expectNamed({"", junk, "", ""}, "is no directory");
	expectNamed({"", "", junk, client.key}, "client certificate " + junk);
	expectNamed({"", "", client.certificate, "/nowhere/key"}, "client key /nowhere/key: No such file");
	expectNamed({"", "", client.certificate, other.key}, "must be the matching");
}

TEST(Trust, SkippingVerificationWorksAndIsToldWithEachReply)
{
	FaultServer server(with(Pki::shared().authority.selfSignedServer()));
	auto settings = settingsFor({server.address()});
	settings.tls.insecureSkipVerify = true;
	const auto reply = renew(settings);
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_THAT(reply->advice, ElementsAre(HasSubstr("insecure_skip_verify")));
}

} // namespace
} // namespace issuer::test
