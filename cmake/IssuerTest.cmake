# issuer_test(<name> <source>... [LINK <target>...])
# One GoogleTest program; each of its tests is a test of ctest.
function(issuer_test name)
	cmake_parse_arguments(TEST "" "" "LINK" ${ARGN})
	add_executable(${name} ${TEST_UNPARSED_ARGUMENTS})
	target_link_libraries(${name} PRIVATE ${TEST_LINK} GTest::gmock GTest::gtest_main issuer_compile)
	target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
	gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST)
endfunction()
