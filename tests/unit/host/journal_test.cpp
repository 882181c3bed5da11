#include "observe/journal/journal.h"

#include "told_events.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <string_view>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace issuer::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A pipe whose reader is this test.
class Pipe
{
public:
	Pipe()
	{
		if (::pipe2(_ends.data(), O_CLOEXEC) != 0) {
			std::abort();
		}
	}
	~Pipe()
	{
		closeReader();
		::close(_ends[1]);
	}

	[[nodiscard]] int writer() const { return _ends[1]; }
	void closeReader() { ::close(std::exchange(_ends[0], -1)); }
	[[nodiscard]] std::string readAvailable() const
	{
		::fcntl(_ends[0], F_SETFL, O_NONBLOCK);
		std::string text;
		std::array<char, 65536> block;
		for (ssize_t count = 0; (count = ::read(_ends[0], block.data(), block.size())) > 0;) {
			text.append(block.data(), static_cast<std::size_t>(count));
		}
		return text;
	}

private:
	std::array<int, 2> _ends{};
};

std::string written(const Journal::Settings& settings, const std::function<void(Journal&)>& tell)
{
	const Pipe pipe;
	Journal journal(pipe.writer(), settings);
	tell(journal);
	journal.close();
	return pipe.readAvailable();
}

issuer_event active()
{
	issuer_event event{};
	event.struct_size = sizeof event;
	event.kind = ISSUER_EVENT_STATE;
	event.state = ISSUER_STATE_ACTIVE;
	return event;
}

TEST(Journal, WritesOneLineEach)
{
	const std::string text = written({}, [](Journal& journal) {
		journal.event("a", active());
		journal.log("a", ISSUER_LOG_INFO, "tls", "fine");
		journal.notice({Action::ready, ISSUER_LOG_INFO, {}, "1 issuer"});
	});
	EXPECT_EQ(std::ranges::count(text, '\n'), 3);
	EXPECT_THAT(text, testing::AllOf(HasSubstr("alive"), HasSubstr("fine"), HasSubstr("1 issuer")));
}

TEST(Journal, LeavesOutWhatIsBelowTheLevel)
{
	Journal::Settings settings;
	settings.level = ISSUER_LOG_WARN;
	const std::string text = written(settings, [](Journal& journal) {
		journal.event("a", active());
		journal.log("a", ISSUER_LOG_INFO, "tls", "fine");
		journal.log("a", ISSUER_LOG_WARN, "tls", "soon");
		journal.notice({Action::ready, ISSUER_LOG_INFO, {}, "1 issuer"});
	});
	EXPECT_THAT(text,
		testing::AllOf(HasSubstr("soon"), Not(HasSubstr("alive")), Not(HasSubstr("fine")), Not(HasSubstr("issuer"))));
}

TEST(Journal, LeavesOutLogLinesThatRepeatEventsAndEventsOfAKindItDoesNotKnow)
{
	const std::string text = written({}, [](Journal& journal) {
		journal.log("a", ISSUER_LOG_ERROR, "events", "said twice");
		issuer_event unknown = active();
		unknown.kind = 77;
		journal.event("a", unknown);
	});
	EXPECT_EQ(text, "");
}

TEST(LineWriter, AReaderThatTakesNothingDelaysNoOtherAndLearnsHowMuchItMissed)
{
	const Pipe pipe;
	{
		LineWriter writer(pipe.writer(), 10);
		const std::string line(1000, 'x');
		for (int i = 0; i < 1000; ++i) { // a megabyte: more than a pipe holds
			writer.write(line);
		}
		std::string text;
		while (text.find("lines were dropped: the reader of this log is too slow") == std::string::npos) {
			text += pipe.readAvailable();
		}
		EXPECT_EQ(text.substr(0, 1001), line + '\n');
	}
}

TEST(LineWriter, AReaderThatHasGoneIsNoReasonToDie)
{
	Pipe pipe;
	pipe.closeReader();
	LineWriter writer(pipe.writer());
	writer.write("to nobody");
	writer.close();
	writer.write("after the end");
}

TEST(Journal, TellsPeopleInOneLineThatARenewalMetAnEndThatNoneCanMove)
{
	const auto tell = [](Journal& journal) {
		using test::renewal;
		const UnixTime noon{std::chrono::seconds(1'800'000'000)};
		const auto left = std::chrono::hours(1);
		issuer_event cut = renewal(ISSUER_RESULT_SUCCESS, noon, left);
		cut.state = ISSUER_STATE_CAPPED;
		journal.event("a", cut);
		journal.event("a", renewal(ISSUER_RESULT_NOT_RENEWABLE, noon, left));
		journal.event("a", test::state(ISSUER_STATE_CAPPED, noon, left));
		journal.event("a", cut); // later: it is asked about again
	};
	const auto count = [](const std::string& text) { return std::ranges::count(text, '\n'); };
	EXPECT_EQ(count(written({}, tell)), 2);
	EXPECT_THAT(written({}, tell), HasSubstr("capped"));
	EXPECT_EQ(count(written({Journal::Format::json, ISSUER_LOG_INFO, {}}, tell)), 4);
}

TEST(Journal, SaysHowManyLinesWereLostWhenItsDiskIsFull)
{
	char name[] = "/tmp/issuer-journal-XXXXXX";
	const int file = ::mkostemp(name, O_CLOEXEC);
	ASSERT_GE(file, 0);
	::unlink(name);
	rlimit before{};
	ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
	LineWriter writer(file);
	const rlimit full{1, before.rlim_max};
	ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
	ASSERT_EQ(::pwrite(file, "x", 1, 0), 1); // as far as the disk goes
	::lseek(file, 1, SEEK_SET);
	writer.write("lost");
	constexpr std::string_view wanted = "lines were lost";
	std::string text;
	std::size_t searched = 0; // of the text: all but an end that the next piece may complete
	for (std::uint64_t tries = 0; text.find(wanted, searched) == std::string::npos; ++tries) {
		if (tries == 1000) { // the first has been refused by now
			ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
		}
		writer.write("another");
		std::this_thread::yield();
		searched = text.size() - std::min(text.size(), wanted.size());
		std::array<char, 65536> block;
		const ssize_t count = ::pread(file, block.data(), block.size(), static_cast<off_t>(text.size()));
		text.append(block.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
	}
	writer.close();
	::close(file);
	ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

} // namespace
} // namespace issuer::observe
