#include "fixture.h"

#include "library.h"

#include <filesystem>
#include <sys/stat.h>

namespace issuer::vault::test {
namespace {

using renewal::EventKind;

constexpr std::string_view secretId = "CANARY-secret-id-1234";

/// A server with AppRole, as far as one issuer notices: it makes tokens, counts and forgets them.
class ScriptedServer
{
public:
	struct Life
	{
		Duration ttl = 60s;
		Duration max = 10min; ///< 0: none
	};

	explicit ScriptedServer(const runtime::Clock& clock) : _clock(clock) {}

	Sent answer(const HttpRequest& request)
	{
		const std::lock_guard lock(_mutex);
		const std::string path(request.path);
		++requests[path];
		if (down) {
			return notReached();
		}
		if (path.ends_with("/login")) {
			return logIn(request);
		}
		if (path.ends_with("/revoke-self")) {
			return revoke(std::string(request.secret));
		}
		if (path.ends_with("sys/wrapping/lookup")) {
			return reply(200, R"({"data":{"creation_path":"auth/approle/role/web/secret-id",)"
							  R"("creation_time":"2027-01-15T08:00:00Z","creation_ttl":86400}})");
		}
		if (path.ends_with("sys/wrapping/unwrap")) {
			return unwrap();
		}
		if (path.ends_with("/secret-id/lookup")) {
			return refusedByPolicy();
		}
		return ofToken(path, std::string(request.secret));
	}

	Life life;
	std::string accepted{secretId};
	bool down = false;
	bool lockedOut = false; ///< logins are answered by "permission denied"
	bool tokensWork = true; ///< false: as with token_bound_cidrs of elsewhere
	std::map<std::string, int> requests;
	std::string latest; ///< token
	int revoked = 0;

	[[nodiscard]] int logins()
	{
		const std::lock_guard lock(_mutex);
		return requests["/v1/auth/approle/login"];
	}
	[[nodiscard]] bool isAlive(const std::string& token)
	{
		const std::lock_guard lock(_mutex);
		return alive(token);
	}
	void kill(const std::string& token)
	{
		const std::lock_guard lock(_mutex);
		_tokens.erase(token);
	}

private:
	struct Token
	{
		Instant born;
		Instant expiry;
	};

	static Sent refusedByPolicy()
	{
		return reply(403, R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})");
	}

	bool alive(const std::string& token) const
	{
		const auto found = _tokens.find(token);
		return found != _tokens.end() && _clock.boot() < found->second.expiry;
	}

	Duration extend(Token& token) const
	{
		const auto end = life.max > 0s ? token.born + life.max : Instant::max();
		token.expiry = std::min(_clock.boot() + life.ttl, end);
		return std::chrono::floor<std::chrono::seconds>(token.expiry - _clock.boot());
	}

	Sent logIn(const HttpRequest& request)
	{
		if (std::string_view(request.body) == "{}") { // does it answer at all?
			return reply(500, R"({"errors":["missing role_id"]})");
		}
		EXPECT_FALSE(request.repeatable);
		EXPECT_TRUE(request.secret.empty()) << "a login sends no token";
		EXPECT_EQ(request.body.find(R"("secret_id":"")"), std::string::npos) << "the secret_id was not read yet";
		if (lockedOut) {
			return refused();
		}
		if (request.body.find(accepted) == request.body.npos) {
			return reply(400, R"({"errors":["invalid role or secret ID"]})");
		}
		latest = "hvs.CANARYtoken" + std::to_string(++_made) + "canary";
		auto& token = _tokens[latest] = {_clock.boot(), {}};
		const auto lease = extend(token);
		return reply(200, R"({"auth":{"client_token":")" + latest + R"(","accessor":"acc","lease_duration":)" +
							  std::to_string(lease / 1s) +
							  R"(,"renewable":true,"token_type":"service","num_uses":0,"policies":["default"],)"
							  R"("metadata":{"role_name":"web"}}})");
	}

	Sent unwrap()
	{
		if (std::exchange(_unwrapped, true)) {
			return reply(400, R"({"errors":["wrapping token is not valid or does not exist"]})");
		}
		return reply(200, R"({"data":{"secret_id":")" + accepted +
							  R"(","secret_id_accessor":"a","secret_id_ttl":0,"secret_id_num_uses":0}})");
	}

	Sent revoke(const std::string& token)
	{
		++revoked;
		return _tokens.erase(token) != 0 ? reply(204, "") : refused();
	}

	Sent ofToken(const std::string& path, const std::string& token)
	{
		if (!alive(token) || !tokensWork) {
			return refused();
		}
		auto& found = _tokens.at(token);
		if (path.ends_with("/lookup-self")) {
			return lookedUp(std::chrono::floor<std::chrono::seconds>(found.expiry - _clock.boot()));
		}
		const auto lease = std::chrono::floor<std::chrono::seconds>(extend(found));
		const std::string warning = R"("warnings":["TTL of \"1m\" exceeded the effective max_ttl of \"10m\"; )"
									R"(TTL value is capped accordingly"],)";
		return reply(200, "{" + (lease < life.ttl ? warning : "") + R"("auth":{"lease_duration":)" +
							  std::to_string(lease.count()) + R"(,"renewable":true}})");
	}

	const runtime::Clock& _clock;
	std::mutex _mutex;
	std::map<std::string, Token> _tokens;
	int _made = 0;
	bool _unwrapped = false;
};

class LoginTest : public InstanceTest
{
protected:
	LoginTest()
	{
		ON_CALL(*exchange, send(_, _)).WillByDefault([this](const HttpRequest& request, auto) {
			return server.answer(request);
		});
		write("secret-id", secretId);
	}

	Config loginConfig(Config::Startup startup = Config::Startup::failFast)
	{
		Config config;
		config.startup = startup;
		config.token = {credential::Origin::Kind::login, "auth/approle", {}};
		config.transport.addresses = {*transport::Address::parse("http://vault:8200")};
		config.auth = std::make_unique<LoginConfig>();
		config.auth->mount = "auth/approle";
		config.auth->roleId = {
			credential::Origin::Kind::value, {}, credential::Secret("CANARY-role"), credential::TextKind::roleId};
		config.auth->secret = {credential::Origin::Kind::file, path("secret-id"), {}, credential::TextKind::secretId};
		return config;
	}

	Config withSink()
	{
		auto config = loginConfig();
		config.auth->sink = credential::SinkFile{path("sink/token"), 0600, {}, {}};
		std::filesystem::create_directory(path("sink"));
		::chmod(path("sink").c_str(), 0700);
		return config;
	}

	std::string path(const std::string& name) const { return (_files.path() / name).string(); }
	void write(const std::string& name, std::string_view text) const
	{
		std::ofstream(path(name) + ".new") << text;
		std::filesystem::rename(path(name) + ".new", path(name));
	}
	std::string read(const std::string& name) const
	{
		std::ifstream file(path(name));
		return {std::istreambuf_iterator<char>(file), {}};
	}

	static std::string tokenOf(const Instance& instance)
	{
		std::string token;
		static_cast<void>(instance.useCredential([&](std::string_view text) { token = text; }));
		return token;
	}

	/// Lets time pass in steps, as a client that uses the token all the time; returns how often it was dead.
	int useFor(const Instance& instance, Duration time, Duration step = 1s)
	{
		int refusedUses = 0;
		for (Duration passed{}; passed < time; passed += step) {
			services->pass(step);
			refusedUses += server.isAlive(tokenOf(instance)) ? 0 : 1;
		}
		return refusedUses;
	}

	std::size_t loginEvents(Outcome outcome) const
	{
		const auto all = hearing.events();
		return static_cast<std::size_t>(std::ranges::count_if(all,
			[&](const renewal::Event& event) { return event.kind == EventKind::login && event.outcome == outcome; }));
	}

	void expectNoSecretTold() const { EXPECT_THAT(hearing.everything(), testing::Not(testing::HasSubstr("CANARY"))); }

	ScriptedServer server{services->clock()};

private:
	issuer::test::TempDir _files;
};

TEST_F(LoginTest, TheStartWaitsForTheFirstTokenAndItsProof)
{
	const auto instance = make(loginConfig());
	const auto started = start(*instance);
	ASSERT_TRUE(started) << started.error().text;
	EXPECT_EQ(instance->snapshot().state, State::active);
	EXPECT_TRUE(server.isAlive(tokenOf(*instance)));
	EXPECT_EQ(server.logins(), 1);
	EXPECT_EQ(loginEvents(Outcome::success), 1U);
	EXPECT_EQ(instance->loginFigures()->successes, 1U);
	ASSERT_TRUE(instance->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, ATokenIsFollowedByTheNextBeforeItMeetsItsMaxTtl)
{
	const auto instance = make(loginConfig());
	ASSERT_TRUE(start(*instance));
	EXPECT_EQ(useFor(*instance, 10 * server.life.max), 0);
	EXPECT_GE(server.logins(), 10);
	EXPECT_LE(server.logins(), 14);
	for (const auto& event : hearing.events()) {
		EXPECT_NE(event.state, State::capped) << event.detail;
		EXPECT_NE(event.state, State::expired) << event.detail;
	}
	EXPECT_EQ(loginEvents(Outcome::failure), 0U);
	ASSERT_TRUE(instance->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, TheEndOfAKubernetesJwtIsNoEndOfLogins)
{
	const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE5MDAwMDAwMDB9.c2ln"; // exp 1900000000
	write("jwt", jwt);
	server.accepted = jwt;
	for (const auto method : {renewal::LoginMethod::jwt, renewal::LoginMethod::kubernetes}) {
		auto config = loginConfig();
		config.auth->policy.method = method;
		config.auth->roleId.reset();
		config.auth->identity = "web";
		config.auth->secret = {credential::Origin::Kind::file, path("jwt"), {}, credential::TextKind::jwt};
		const auto instance = make(std::move(config));
		const auto started = start(*instance);
		ASSERT_TRUE(started) << started.error().text;
		const auto ends = instance->loginFigures()->materialEnds;
		EXPECT_EQ(ends.has_value(), method == renewal::LoginMethod::jwt) << "kubelet replaces a pod's";
		ASSERT_TRUE(instance->stop(1s));
	}
}

TEST_F(LoginTest, ARefusedStartNamesWhatIsRefused)
{
	server.accepted = "another";
	const auto instance = make(loginConfig());
	const auto started = start(*instance);
	ASSERT_FALSE(started);
	EXPECT_THAT(started.error().text, testing::HasSubstr("the first login or look-up did not succeed"));
	EXPECT_EQ(server.logins(), 1);
	expectNoSecretTold();
}

TEST_F(LoginTest, AWrongSecretIdIsTriedTwiceAndAMendedOneAtOnce)
{
	server.accepted = "CANARY-mended";
	const auto instance = make(loginConfig(Config::Startup::background));
	ASSERT_TRUE(start(*instance));
	services->pass(10min);
	EXPECT_EQ(server.logins(), 2);
	write("secret-id", "CANARY-mended");
	services->pass(5s);
	EXPECT_EQ(server.logins(), 3);
	EXPECT_EQ(instance->snapshot().state, State::active);
	ASSERT_TRUE(instance->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, APermissionDeniedAfterRefusalsIsCalledPerhapsALockout)
{
	server.accepted = "CANARY-mended";
	const auto instance = make(loginConfig(Config::Startup::background));
	ASSERT_TRUE(start(*instance));
	services->pass(1min);
	EXPECT_THAT(hearing.everything(), testing::Not(testing::HasSubstr("locked out")));
	server.lockedOut = true;
	write("secret-id", "CANARY-mended");
	services->pass(5s);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("perhaps locked out"));
	EXPECT_EQ(hearing.events().back().reason, Reason::throttled);
	ASSERT_TRUE(instance->stop(1s));
}

TEST_F(LoginTest, SiblingsDoNotTryWhatWasRefused)
{
	server.accepted = "another";
	std::vector<std::unique_ptr<Instance>> siblings;
	for (int i = 0; i < 20; ++i) {
		siblings.push_back(make(loginConfig(Config::Startup::background)));
		ASSERT_TRUE(siblings.back()->start());
	}
	services->pass(15min);
	EXPECT_EQ(server.logins(), 2);
	server.accepted = "CANARY-mended";
	write("secret-id", "CANARY-mended");
	services->pass(40s);
	for (const auto& sibling : siblings) {
		EXPECT_EQ(sibling->snapshot().state, State::active);
		ASSERT_TRUE(sibling->stop(1s));
	}
}

TEST_F(LoginTest, ATokenThatDoesNotWorkIsNotPutInUseAndIsRevoked)
{
	const auto instance = make(loginConfig());
	ASSERT_TRUE(start(*instance));
	const auto before = tokenOf(*instance);
	server.tokensWork = false;
	ASSERT_TRUE(instance->renewNow());
	services->pass(5s);
	server.kill(before); // no renewal helps: it logs in
	services->pass(30s);
	EXPECT_GE(server.logins(), 2);
	EXPECT_GE(server.revoked, 1);
	EXPECT_EQ(tokenOf(*instance), before);
	EXPECT_GE(loginEvents(Outcome::failure), 1U);
	server.tokensWork = true;
	services->pass(20min);
	EXPECT_TRUE(server.isAlive(tokenOf(*instance)));
	ASSERT_TRUE(instance->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, ARevokedTokenIsFollowedAtOnce)
{
	const auto instance = make(loginConfig());
	ASSERT_TRUE(start(*instance));
	server.kill(tokenOf(*instance));
	ASSERT_TRUE(instance->renewNow());
	services->pass(10s);
	EXPECT_TRUE(server.isAlive(tokenOf(*instance)));
	EXPECT_EQ(server.logins(), 2);
	ASSERT_TRUE(instance->stop(1s));
}

TEST_F(LoginTest, AnOutageOverThePlannedLoginIsSurvived)
{
	server.life.max = 20min;
	const auto instance = make(loginConfig());
	ASSERT_TRUE(start(*instance));
	services->pass(2 * server.life.max); // lives are learned
	const auto planned = instance->loginFigures()->nextLogin;
	ASSERT_TRUE(planned.has_value());
	services->pass(*planned - services->clock().now().wall - 1s);
	server.down = true;
	services->pass(25s);
	server.down = false;
	EXPECT_EQ(useFor(*instance, 10min), 0);
	ASSERT_TRUE(instance->stop(1s));
}

TEST_F(LoginTest, TheSinkShowsTheTokenAndARestartUsesItWithoutALogin)
{
	auto instance = make(withSink());
	ASSERT_TRUE(start(*instance));
	services->pass(1s);
	EXPECT_EQ(read("sink/token"), tokenOf(*instance));
	struct stat status = {};
	ASSERT_EQ(::stat(path("sink/token").c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 0777U, 0600U);
	const auto token = tokenOf(*instance);
	ASSERT_TRUE(instance->stop(1s));

	instance = make(withSink());
	ASSERT_TRUE(start(*instance));
	EXPECT_EQ(tokenOf(*instance), token);
	EXPECT_EQ(server.logins(), 1);
	std::filesystem::remove(path("sink/token"));
	services->pass(2min);
	EXPECT_EQ(read("sink/token"), token);
	ASSERT_TRUE(instance->stop(1s));

	server.kill(token);
	auto config = withSink();
	config.startup = Config::Startup::background;
	instance = make(std::move(config));
	ASSERT_TRUE(start(*instance));
	services->pass(30s);
	EXPECT_TRUE(server.isAlive(tokenOf(*instance)));
	ASSERT_TRUE(instance->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, AnIssuerThatRevokesOnStopDoesSoAtItsEndButNotInASwap)
{
	auto config = loginConfig();
	config.auth->revokeOnStop = true;
	auto instance = make(std::move(config));
	ASSERT_TRUE(start(*instance));
	const auto token = tokenOf(*instance);
	ASSERT_TRUE(instance->stop(1s));
	std::string lent;
	ASSERT_TRUE(instance->lend([&](std::string_view secrets) { lent = secrets; }));
	instance.reset();
	EXPECT_TRUE(server.isAlive(token));

	config = loginConfig();
	config.auth->revokeOnStop = true;
	instance = make(std::move(config));
	ASSERT_TRUE(start(*instance));
	const auto second = tokenOf(*instance);
	ASSERT_TRUE(instance->stop(1s));
	instance.reset();
	EXPECT_FALSE(server.isAlive(second));
}

TEST_F(LoginTest, ASwapHandsTokenAndUnwrappedSecretToTheSuccessor)
{
	write("secret-id", "hvs.wrapping");
	const auto wrapped = [&] {
		auto config = loginConfig(Config::Startup::background);
		config.auth->secret->text = credential::TextKind::wrappingToken;
		return config;
	};
	auto old = make(wrapped());
	ASSERT_TRUE(start(*old));
	services->pass(10s);
	const auto token = tokenOf(*old);
	ASSERT_TRUE(old->stop(1s));
	const auto state = old->exportState();
	ASSERT_TRUE(state);
	EXPECT_EQ(state->find("CANARY"), std::string::npos);
	auto next = make(wrapped());
	ASSERT_TRUE(old->lend([&](std::string_view secrets) { ASSERT_TRUE(next->take(secrets)); }));
	old.reset();
	ASSERT_TRUE(next->importState(*state));
	ASSERT_TRUE(start(*next));
	EXPECT_EQ(tokenOf(*next), token) << "at once";
	services->pass(10s);
	EXPECT_EQ(server.logins(), 1);
	EXPECT_EQ(useFor(*next, 3 * server.life.max), 0) << "the unwrapped secret_id has come along";
	EXPECT_EQ(server.requests["/v1/sys/wrapping/unwrap"], 1);
	ASSERT_TRUE(next->stop(1s));
	expectNoSecretTold();
}

TEST_F(LoginTest, ASwapAllowsNoThirdTryOfRefusedBytes)
{
	server.accepted = "CANARY-mended";
	std::vector<std::unique_ptr<Instance>> siblings;
	for (int sibling = 0; sibling < 2; ++sibling) {
		siblings.push_back(make(loginConfig(Config::Startup::background)));
		ASSERT_TRUE(start(*siblings.back()));
		services->pass(2s);
	}
	ASSERT_EQ(server.logins(), 2);
	for (auto& sibling : siblings) {
		ASSERT_TRUE(sibling->stop(1s));
	}
	services->becomeAnotherLibrary();
	for (auto& sibling : siblings) {
		const auto state = sibling->exportState();
		auto next = make(loginConfig(Config::Startup::background));
		ASSERT_TRUE(sibling->lend([&](std::string_view secrets) { ASSERT_TRUE(next->take(secrets)); }));
		sibling = std::move(next);
		ASSERT_TRUE(sibling->importState(*state));
		ASSERT_TRUE(start(*sibling));
	}
	services->pass(10min);
	EXPECT_EQ(server.logins(), 2);
	write("secret-id", server.accepted);
	services->pass(5s);
	EXPECT_EQ(server.logins(), 4) << "other bytes are tried at once";
	for (auto& sibling : siblings) {
		ASSERT_TRUE(sibling->stop(1s));
	}
	expectNoSecretTold();
}

TEST(Library, RemembersRefusedLoginsWhileNoIssuerRuns)
{
	constexpr Instant now{1000h};
	lendServices()->logins().ended(now, 1, 7, renewal::LoginBudget::Result::refused);
	EXPECT_TRUE(lendServices()->logins().hasRefused(now, 1));
}

TEST_F(LoginTest, ASuccessorReadsItsSecretBeforeALoginThatIsDue)
{
	auto old = make(loginConfig());
	ASSERT_TRUE(start(*old));
	ASSERT_TRUE(old->stop(1s));
	const auto state = old->exportState();
	ASSERT_TRUE(state);
	old.reset();
	services->pass(server.life.max);
	const auto next = make(loginConfig(Config::Startup::background));
	ASSERT_TRUE(next->importState(*state));
	ASSERT_TRUE(start(*next));
	services->pass(10s);
	EXPECT_EQ(server.logins(), 2) << "the server's script looks for a secret_id in each";
	EXPECT_TRUE(server.isAlive(tokenOf(*next)));
	ASSERT_TRUE(next->stop(1s));
}

TEST_F(LoginTest, SecretsOfAnotherConfigurationAreNotUsed)
{
	auto old = make(loginConfig());
	ASSERT_TRUE(start(*old));
	ASSERT_TRUE(old->stop(1s));
	auto config = loginConfig();
	config.transport.addresses = {*transport::Address::parse("http://elsewhere:8200")};
	const auto next = make(std::move(config));
	ASSERT_TRUE(old->lend([&](std::string_view secrets) { ASSERT_TRUE(next->take(secrets)); }));
	ASSERT_TRUE(start(*next));
	EXPECT_EQ(server.logins(), 2);
	ASSERT_TRUE(next->stop(1s));
	EXPECT_FALSE(next->take("damaged"));
	Config withToken;
	withToken.token = {credential::Origin::Kind::value, {}, credential::Secret("CANARY-token")};
	withToken.transport.addresses = {*transport::Address::parse("http://vault:8200")};
	EXPECT_FALSE(make(std::move(withToken))->take("")) << "damage is told, whether the secrets would be used or not";
}

TEST_F(LoginTest, AMissingFileIsNamedAndFoundOnceItIsThere)
{
	std::filesystem::remove(path("secret-id"));
	const auto instance = make(loginConfig(Config::Startup::background));
	ASSERT_TRUE(start(*instance));
	services->pass(10s);
	EXPECT_EQ(server.logins(), 0);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("secret_id file " + path("secret-id")));
	write("secret-id", secretId);
	services->pass(5s);
	EXPECT_EQ(instance->snapshot().state, State::active);
	ASSERT_TRUE(instance->stop(1s));
}

TEST_F(LoginTest, AFileIsRemovedOnlyOnceATokenMadeWithItIsProven)
{
	const auto removing = [&](auto startup) {
		auto config = loginConfig(startup);
		config.auth->removeAfterReading = true;
		return config;
	};
	server.accepted = "another";
	auto instance = make(removing(Config::Startup::background));
	ASSERT_TRUE(start(*instance));
	services->pass(1min);
	EXPECT_TRUE(std::filesystem::exists(path("secret-id")));
	ASSERT_TRUE(instance->stop(1s));
	server.accepted = "CANARY-other";
	write("secret-id", "CANARY-other");
	instance = make(removing(Config::Startup::failFast));
	ASSERT_TRUE(start(*instance));
	services->pass(1s);
	EXPECT_FALSE(std::filesystem::exists(path("secret-id")));
	EXPECT_EQ(useFor(*instance, 2 * server.life.max), 0) << "what was read is kept";
	ASSERT_TRUE(instance->stop(1s));
}

TEST_F(LoginTest, AFileThatCannotBeRemovedIsNamed)
{
	constexpr auto file = "/proc/self/comm"; // which root cannot remove either
	std::getline(std::ifstream(file), server.accepted);
	auto config = loginConfig();
	config.auth->removeAfterReading = true;
	config.auth->secret->name = file;
	const auto instance = make(std::move(config));
	ASSERT_TRUE(start(*instance));
	services->pass(5s);
	EXPECT_THAT(hearing.everything(), testing::HasSubstr("/proc/self/comm has been read and cannot be removed: "));
	ASSERT_TRUE(instance->stop(1s));
}

} // namespace
} // namespace issuer::vault::test
