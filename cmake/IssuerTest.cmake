# Tests are compiled far more often than their own code runs: without optimisation that takes half the time. The rooms
# that they test are compiled as ever.
add_library(issuer_test_compile INTERFACE)
target_compile_options(issuer_test_compile INTERFACE -O0 -U_FORTIFY_SOURCE)
# Not all tests need Poco, but its definitions must be the same wherever the precompiled header is used.
target_link_libraries(issuer_test_compile INTERFACE GTest::gmock Poco::Foundation issuer_compile)

# The headers that every test includes, compiled once for all of them; by a program, as only programs are compiled like
# programs.
add_executable(issuer_test_headers "${CMAKE_CURRENT_LIST_DIR}/headers.cpp")
target_link_libraries(issuer_test_headers PRIVATE GTest::gtest_main issuer_test_compile)
target_precompile_headers(issuer_test_headers PRIVATE
	<gmock/gmock.h> <gtest/gtest.h> <chrono> <filesystem> <fstream> <functional> <map> <sstream> <string> <thread> <vector>)

# issuer_test(<name> <source>... [LINK <target>...] [UNLOADS])
# One GoogleTest program; each of its tests is a test of ctest. UNLOADS: it loads libraries and lets go of them, or runs
# programs that do or that fork. The leak checker reads the thread-local storage of libraries that are gone, and falls
# over it: so the preset leaves it out, and those tests take it back that can bear it.
function(issuer_test name)
	cmake_parse_arguments(TEST "UNLOADS" "" "LINK" ${ARGN})
	set(environment)
	if(ISSUER_SANITIZE MATCHES address AND NOT TEST_UNLOADS)
		set(environment PROPERTIES ENVIRONMENT
			"ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1")
	endif()
	add_executable(${name} ${TEST_UNPARSED_ARGUMENTS})
	target_link_libraries(${name} PRIVATE ${TEST_LINK} GTest::gtest_main issuer_test_compile)
	target_precompile_headers(${name} REUSE_FROM issuer_test_headers)
	gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST ${environment})
endfunction()
