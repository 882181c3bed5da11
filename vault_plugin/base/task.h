#pragma once

#include "base/time.h"

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

/// Work that gives its thread back while it waits: coroutines and their waits.
namespace issuer::vault {

/// A wait of a run: for a descriptor, for time, or both.
struct Wait
{
	int fd = -1;                       ///< the descriptor that becomes ready, used by one wait at a time; -1: only time
	short events = 0;                  ///< the readiness that is waited for, in the terms of poll()
	Duration atMost = Duration::max(); ///< after this time the wait times out
};

/// The end of a wait.
enum class Wake : std::uint8_t
{
	ready, ///< probably ready: try, and wait again if not
	timedOut,
	cancelled, ///< cancelled, as all further waits of this run will be: end soon
};

namespace task {

/// State of a whole task: shared by its coroutines, kept by the outermost.
struct Course
{
	std::coroutine_handle<> innermost; ///< the coroutine that waits
	Wait wait;
	Wake wake = Wake::ready;
};

class PromiseBase
{
public:
	/// Suspends at first: the coroutine begins when it is awaited or resumed.
	[[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }

	struct ToCaller
	{
		[[nodiscard]] bool await_ready() const noexcept { return false; }
		template <class Promise>
		[[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept
		{
			const std::coroutine_handle<> next = ended.promise().caller;
			return next ? next : std::noop_coroutine();
		}
		void await_resume() const noexcept {}
	};
	[[nodiscard]] ToCaller final_suspend() const noexcept { return {}; }

	void unhandled_exception() noexcept { error = std::current_exception(); }

	Course* course = nullptr; ///< null: not begun
	std::coroutine_handle<> caller;
	std::exception_ptr error;
	Course own;
};

template <class Result>
class Promise : public PromiseBase
{
public:
	template <class Value>
	void return_value(Value&& value)
	{
		_result.emplace(std::forward<Value>(value));
	}
	[[nodiscard]] Result take() { return std::move(*_result); }

private:
	std::optional<Result> _result;
};

template <>
class Promise<void> : public PromiseBase
{
public:
	void return_void() const noexcept {}
	void take() const noexcept {}
};

/// Suspends the whole task.
struct Pause
{
	Wait wait;
	Course* course = nullptr;

	[[nodiscard]] bool await_ready() const noexcept { return false; }
	template <class Promise>
	void await_suspend(std::coroutine_handle<Promise> self) noexcept
	{
		course = self.promise().course;
		course->innermost = self;
		course->wait = wait;
	}
	[[nodiscard]] Wake await_resume() const noexcept { return course->wake; }
};

} // namespace task

/// `co_await Wait{…}` gives the Wake.
inline task::Pause operator co_await(const Wait& wait) noexcept
{
	return {wait};
}

/// A coroutine that is awaited by another, or resumed from outside step by step, on any thread: between two steps it
/// belongs to none, so no thread_local and no lock may be held across a co_await. Parameters that are references must
/// outlive it. It may be destroyed while it waits.
template <class Result = void>
class [[nodiscard]] Task
{
public:
	class promise_type : public task::Promise<Result>
	{
	public:
		[[nodiscard]] Task get_return_object() noexcept
		{
			return Task(std::coroutine_handle<promise_type>::from_promise(*this));
		}
	};

	Task() = default;
	Task(Task&& other) noexcept : _coroutine(std::exchange(other._coroutine, nullptr)) {}
	Task& operator=(Task&& other) noexcept
	{
		std::swap(_coroutine, other._coroutine);
		return *this;
	}
	~Task()
	{
		if (_coroutine) {
			_coroutine.destroy();
		}
	}

	/// Returns whether this holds a coroutine, ended or not.
	[[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(_coroutine); }

	/// Runs it to its next wait, which is returned, or to its end: nullopt. `wake`: how the last wait ended; ignored
	/// the first time.
	[[nodiscard]] std::optional<Wait> resume(Wake wake)
	{
		auto& promise = _coroutine.promise();
		if (promise.course == nullptr) {
			promise.course = &promise.own;
			promise.own.innermost = _coroutine;
		}
		promise.own.wake = wake;
		promise.own.innermost.resume();
		return _coroutine.done() ? std::nullopt : std::optional(promise.own.wait);
	}

	/// Returns the result of a task that has ended, or throws its exception.
	Result take()
	{
		auto& promise = _coroutine.promise();
		if (promise.error) {
			std::rethrow_exception(std::exchange(promise.error, nullptr));
		}
		return promise.take();
	}

	/// `co_await task` gives its result.
	[[nodiscard]] auto operator co_await() && noexcept { return Call{*this}; }

private:
	struct Call
	{
		Task& called;

		[[nodiscard]] bool await_ready() const noexcept { return false; }
		template <class Promise>
		[[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) noexcept
		{
			auto& promise = called._coroutine.promise();
			promise.course = caller.promise().course;
			promise.caller = caller;
			return called._coroutine;
		}
		Result await_resume() { return called.take(); }
	};

	explicit Task(std::coroutine_handle<promise_type> coroutine) noexcept : _coroutine(coroutine) {}

	std::coroutine_handle<promise_type> _coroutine;
};

/// Runs `task` to its next wait, which is returned, or to its end: nullopt, and `task` is empty again. An empty one is
/// what `begin` makes, unless the run was cancelled before it began. Throws what the task has thrown.
template <class Begin>
[[nodiscard]] std::optional<Wait> advance(Task<>& task, Wake wake, const Begin& begin)
{
	if (!task) {
		if (wake == Wake::cancelled) {
			return std::nullopt;
		}
		task = begin();
	}
	if (const auto wait = task.resume(wake)) {
		return wait;
	}
	std::exchange(task, {}).take();
	return std::nullopt;
}

} // namespace issuer::vault
