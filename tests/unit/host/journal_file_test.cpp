#include "observe/journal/journal_file.h"

#include "temp_dir.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <array>
#include <csignal>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <semaphore>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

std::vector<std::string> linesOf(const fs::path& path)
{
	std::ifstream file(path);
	std::vector<std::string> lines;
	for (std::string line; std::getline(file, line); lines.push_back(line)) {
	}
	return lines;
}

/// While it lives, no file of this process grows beyond `bytes`: a disk that is full.
class FullDisk
{
public:
	explicit FullDisk(rlim_t bytes)
	{
		::getrlimit(RLIMIT_FSIZE, &_before);
		_handler = std::signal(SIGXFSZ, SIG_IGN);
		const rlimit tight{bytes, _before.rlim_max};
		::setrlimit(RLIMIT_FSIZE, &tight);
	}
	~FullDisk()
	{
		::setrlimit(RLIMIT_FSIZE, &_before);
		std::signal(SIGXFSZ, _handler);
	}
	FullDisk(const FullDisk&) = delete;
	FullDisk& operator=(const FullDisk&) = delete;

private:
	rlimit _before{};
	void (*_handler)(int);
};

class ARotatedFile : public testing::Test
{
protected:
	[[nodiscard]] RotatedFile open(std::uint64_t maxBytes = 1'000'000, unsigned keep = 2) const
	{
		auto file = RotatedFile::open({path, maxBytes, keep});
		return file ? std::move(*file) : throw std::runtime_error(file.error().text);
	}

	issuer::test::TempDir temp;
	const fs::path path = temp.path() / "journal.jsonl";
};

TEST_F(ARotatedFile, GoesOnWhereItEnded)
{
	EXPECT_TRUE(open().append("one\n"));
	EXPECT_TRUE(open().append("two\nthree\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("one", "two", "three"));
}

TEST_F(ARotatedFile, GoesOnInANewFileWhenAnotherProgramHasMovedIt)
{
	RotatedFile file = open();
	EXPECT_TRUE(file.append("one\n"));
	fs::rename(path, path.string() + "-old");
	EXPECT_TRUE(file.append("two\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("two"));
	EXPECT_THAT(linesOf(path.string() + "-old"), ElementsAre("one"));
	fs::rename(path, path.string() + "-newer");
	std::ofstream(path).close(); // logrotate's `create`
	EXPECT_TRUE(file.append("three\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("three"));
	EXPECT_THAT(linesOf(path.string() + "-newer"), ElementsAre("two"));
}

TEST_F(ARotatedFile, GoesOnWhereAnotherProgramHasCutItOff)
{
	RotatedFile file = open(10);
	EXPECT_TRUE(file.append("one\ntwo\n"));
	fs::resize_file(path, 0);
	EXPECT_TRUE(file.append("three\n")); // which has room now
	EXPECT_THAT(linesOf(path), ElementsAre("three"));
	EXPECT_FALSE(fs::exists(path.string() + ".1"));
}

TEST_F(ARotatedFile, CutsOffALineThatWasLeftUnfinished)
{
	for (const std::string& torn : {std::string("{\"half"), std::string(10'000, 'x')}) {
		temp.write("journal.jsonl", "whole\n" + torn);
		EXPECT_TRUE(open().append("next\n"));
		EXPECT_THAT(linesOf(path), ElementsAre("whole", "next"));
	}
	temp.write("journal.jsonl", "nothing but a half");
	EXPECT_TRUE(open().append("next\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("next"));
}

TEST_F(ARotatedFile, BecomesTheFirstOldOneWhenItIsFullAndTheOldestGoes)
{
	RotatedFile file = open(10);
	for (const char* line : {"one...\n", "two...\n", "three.\n", "four..\n"}) {
		EXPECT_TRUE(file.append(line));
	}
	EXPECT_THAT(linesOf(path), ElementsAre("four.."));
	EXPECT_THAT(linesOf(path.string() + ".1"), ElementsAre("three."));
	EXPECT_THAT(linesOf(path.string() + ".2"), ElementsAre("two..."));
	EXPECT_FALSE(fs::exists(path.string() + ".3"));
}

TEST_F(ARotatedFile, TakesALineThatIsLongerThanItsLimit)
{
	RotatedFile file = open(10, 0);
	EXPECT_TRUE(file.append("longer than ten bytes\n"));
	EXPECT_TRUE(file.append("next\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("next"));
}

TEST_F(ARotatedFile, KeepsItsLinesWhenTheyCannotBePutAside)
{
	RotatedFile file = open(10, 1);
	EXPECT_TRUE(file.append("one\n"));
	fs::create_directory(path.string() + ".1"); // no file can take its name
	for (int attempt = 0; attempt < 2; ++attempt) {
		const auto refused = file.append("two....\n");
		ASSERT_FALSE(refused);
		EXPECT_THAT(refused.error().text, HasSubstr(path.string() + ": it cannot be rotated: "));
		EXPECT_THAT(linesOf(path), ElementsAre("one"));
	}
	fs::remove(path.string() + ".1");
	EXPECT_TRUE(file.append("two....\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("two...."));
	EXPECT_THAT(linesOf(path.string() + ".1"), ElementsAre("one"));
}

TEST_F(ARotatedFile, TakesAllOrNothingWhenTheDiskIsFull)
{
	RotatedFile file = open();
	EXPECT_TRUE(file.append("one\n"));
	{
		const FullDisk full(10);
		const auto refused = file.append("two\nthree\nfour\n"); // of which six bytes still fit
		ASSERT_FALSE(refused);
		EXPECT_THAT(refused.error().text, HasSubstr(path.string() + ": it cannot be written"));
		EXPECT_THAT(linesOf(path), ElementsAre("one"));
	}
	EXPECT_TRUE(file.append("five\n"));
	EXPECT_THAT(linesOf(path), ElementsAre("one", "five"));
}

TEST_F(ARotatedFile, HoldsOnlyWholeLinesAfterItsWriterWasKilled)
{
	std::array<int, 2> pipe{};
	ASSERT_EQ(::pipe(pipe.data()), 0);
	const pid_t writer = ::fork();
	if (writer == 0) {
		RotatedFile file = open(100'000);
		const std::string line(997, 'x');
		for (;;) {
			if (!file.append(line + "!\n" + line + "!\n") || ::write(pipe[1], "w", 1) != 1) {
				::_exit(1);
			}
		}
	}
	for (int written = 0; written < 150; ++written) {
		char byte = 0;
		ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
	}
	::kill(writer, SIGKILL);
	::waitpid(writer, nullptr, 0);
	::close(pipe[0]);
	::close(pipe[1]);
	EXPECT_TRUE(open().append("after\n"));
	auto lines = linesOf(path);
	EXPECT_EQ(lines.back(), "after");
	lines.pop_back();
	for (const std::string& line : linesOf(path.string() + ".1")) {
		lines.push_back(line);
	}
	EXPECT_THAT(lines, testing::Each(testing::SizeIs(998)));
	EXPECT_GE(lines.size(), 100U);
}

TEST_F(ARotatedFile, IsWrittenByOneHostAtATime)
{
	const RotatedFile first = open();
	const auto second = RotatedFile::open({path});
	ASSERT_FALSE(second);
	EXPECT_THAT(second.error().text, HasSubstr("another host is writing it"));
}

TEST_F(ARotatedFile, SaysWhyItCannotBeOpened)
{
	EXPECT_THAT(RotatedFile::open({temp.path() / "no" / "folder"}).error().text, HasSubstr("No such file"));
	EXPECT_THAT(RotatedFile::open({temp.path()}).error().text, HasSubstr(temp.path().string()));
	EXPECT_THAT(RotatedFile::open({"/dev/null"}).error().text, HasSubstr("not a regular file"));
}

class AJournalFile : public ARotatedFile
{
protected:
	static Notice said(std::string_view text) { return {Action::ready, ISSUER_LOG_INFO, {}, text}; }

	static std::vector<std::string> textsOf(const fs::path& path)
	{
		std::vector<std::string> texts;
		for (const std::string& line : linesOf(path)) {
			const auto json = Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
			texts.push_back(json->has("dropped") ? "dropped " + json->getValue<std::string>("dropped")
												 : json->getValue<std::string>("text"));
		}
		return texts;
	}
};

TEST_F(AJournalFile, HasEverythingThatWasToldWhenItIsClosed)
{
	JournalFile journal({path}, [](auto, const std::string&) {}, {});
	issuer_event event{};
	event.kind = ISSUER_EVENT_STATE;
	journal.event("a", event);
	journal.log("a", ISSUER_LOG_WARN, "tls", "soon");
	journal.log("a", ISSUER_LOG_WARN, "events", "said twice");
	journal.notice(said("fine"));
	journal.close();
	journal.notice(said("too late"));
	const auto lines = linesOf(path);
	ASSERT_EQ(lines.size(), 3U);
	EXPECT_THAT(lines[0], HasSubstr("\"type\":\"event\""));
	EXPECT_THAT(lines[1], HasSubstr("\"soon\""));
	EXPECT_THAT(lines[2], HasSubstr("\"fine\""));
}

TEST_F(AJournalFile, HasEventsOfLogins)
{
	JournalFile journal({path}, [](auto, const std::string&) {}, {});
	issuer_event event{};
	event.kind = ISSUER_EVENT_LOGIN;
	event.result = ISSUER_RESULT_FAILURE;
	journal.event("a", event);
	journal.close();
	EXPECT_THAT(linesOf(path), ElementsAre(HasSubstr("\"kind\":\"login\",\"result\":\"failure\"")));
}

TEST_F(AJournalFile, KeepsWhatAFullDiskRefusesAndSaysSoOnceAndCountsWhatIsTooMuch)
{
	std::promise<void> refused;
	std::vector<std::string> complaints;
	{
		std::optional<FullDisk> full(std::in_place, 10);
		JournalFile journal({path},
			[&](issuer_log_level level, const std::string& text) {
				complaints.push_back((level == ISSUER_LOG_WARN ? "warning: " : "") + text);
				if (complaints.size() == 1) {
					refused.set_value();
				}
			},
			{2, 1ms, 1h});
		journal.notice(said("one"));
		refused.get_future().wait();
		journal.notice(said("two"));
		journal.notice(said("three"));
		full.reset();
	}
	EXPECT_THAT(textsOf(path), ElementsAre("one", "two", "dropped 1"));
	EXPECT_THAT(complaints,
		ElementsAre(AllOf(StartsWith("warning: "), HasSubstr("it cannot be written")), "the journal is written again"));
}

TEST_F(AJournalFile, EndsAlsoWhenTheDiskStaysFull)
{
	const FullDisk full(10);
	JournalFile journal({path}, [](auto, const std::string&) {}, {});
	journal.notice(said("one"));
	journal.close();
	EXPECT_THAT(linesOf(path), IsEmpty());
}

TEST(ASilenceWatch, TellsOnceOfEachWorkThatDoesNotEndInTimeAndNothingOfTheRest)
{
	std::counting_semaphore<> told(0);
	int count = 0;
	{
		SilenceWatch watch(1ms, [&] {
			++count;
			told.release();
		});
		for (int work = 0; work < 3; ++work) {
			watch.over([&] { told.acquire(); });
		}
	}
	EXPECT_EQ(count, 3);
	SilenceWatch patient(1h, [&] { ++count; });
	EXPECT_EQ(patient.over([] { return 7; }), 7);
	EXPECT_EQ(count, 3);
}

TEST(ASilenceWatch, HasToldOfWorkBeforeTheNextStepOfItsCaller)
{
	std::binary_semaphore told(0);
	std::binary_semaphore returned(0);
	bool isTooLate = false;
	{
		SilenceWatch watch(1ms, [&] {
			told.release();
			isTooLate = returned.try_acquire_for(100ms);
		});
		watch.over([&] { told.acquire(); });
		returned.release();
	}
	EXPECT_FALSE(isTooLate);
}

} // namespace
} // namespace issuer::observe
