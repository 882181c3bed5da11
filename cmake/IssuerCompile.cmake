# How everything of ours is compiled: one interface target that each of our targets links.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
	set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
	set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(issuer_compile INTERFACE)
target_compile_options(issuer_compile INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
	$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wswitch-enum>
	-fvisibility=hidden
	$<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>
	$<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
	-fstack-protector-strong
	# Packages are stripped, and a backtrace needs only lines and functions. Full debug information, which the preset dev
	# has, takes a third of the compile time.
	$<$<CONFIG:RelWithDebInfo>:-g1>)
# All symbols are found as a program or library is loaded. Looking one up later saves the vector registers on the stack,
# in the middle of a copy of a token too.
target_link_options(issuer_compile INTERFACE -Wl,-z,now -Wl,-z,relro)
if(ISSUER_SANITIZE)
	target_compile_options(issuer_compile INTERFACE -fsanitize=${ISSUER_SANITIZE} -fno-omit-frame-pointer)
	target_link_options(issuer_compile INTERFACE -fsanitize=${ISSUER_SANITIZE})
	if(ISSUER_SANITIZE MATCHES undefined)
		target_compile_options(issuer_compile INTERFACE -fno-sanitize-recover=undefined)
	endif()
else()
	target_compile_definitions(issuer_compile INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
if(ISSUER_BUILD_FUZZERS)
	# The fuzzer learns from the paths that an input takes, also through the rooms it is linked with.
	# Clang 14 cannot assemble coroutines with -fsanitize=function ("difference across sections").
	target_compile_options(issuer_compile INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize=function)
	target_link_options(issuer_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()

# issuer_room(<name> <source>... [LINK <target>...] [PRIVATE <target>...])
# One room of the plugin or the host as a static library `issuer_<name>`: it may include only what it links. PRIVATE are
# those that its headers do not include.
function(issuer_room name)
	cmake_parse_arguments(ROOM "" "" "LINK;PRIVATE" ${ARGN})
	add_library(issuer_${name} STATIC ${ROOM_UNPARSED_ARGUMENTS})
	target_link_libraries(issuer_${name} PUBLIC ${ROOM_LINK} PRIVATE ${ROOM_PRIVATE} issuer_compile)
	issuer_precompile(issuer_${name})
endfunction()

# issuer_precompile(<target>): has headers of C++ and Poco that most sources include compiled once for all libraries.
# Sources include what they use all the same: the preset fuzz and the container image are built without. A target that
# links Poco is compiled with Poco's definitions, so there are two sets. Call it after the target's link line, and after
# the targets that it links exist.
function(issuer_precompile target)
	issuer_links_poco(poco ${target} LINK_LIBRARIES)
	set(headers issuer_headers)
	if(poco)
		set(headers issuer_poco_headers)
	endif()
	if(NOT TARGET ${headers})
		add_library(${headers} OBJECT "${PROJECT_SOURCE_DIR}/cmake/headers.cpp")
		target_link_libraries(${headers} PRIVATE issuer_compile)
		target_precompile_headers(${headers} PRIVATE
			<algorithm> <atomic> <chrono> <condition_variable> <filesystem> <functional> <map> <memory> <mutex> <optional> <string>
			<string_view> <thread> <tl/expected.hpp> <utility> <variant> <vector>)
		if(poco)
			target_link_libraries(${headers} PRIVATE Poco::JSON)
			target_precompile_headers(${headers} PRIVATE <Poco/JSON/Object.h> <Poco/JSON/Parser.h>)
		endif()
	endif()
	target_precompile_headers(${target} REUSE_FROM ${headers})
	if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
		# GCC 12 forgets in a precompiled header where its own library silences these, which are false for sums of strings.
		target_compile_options(${target} PRIVATE
			$<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread>)
	endif()
endfunction()

# issuer_links_poco(<result> <target> <property>): whether a library of Poco is among those that the target's property
# names, or among those that these pass on.
function(issuer_links_poco result target property)
	get_target_property(linked ${target} ${property})
	foreach(library IN LISTS linked)
		set(found FALSE)
		if(library MATCHES "^Poco::")
			set(found TRUE)
		elseif(library MATCHES "^issuer_")
			issuer_links_poco(found ${library} INTERFACE_LINK_LIBRARIES)
		endif()
		if(found)
			set(${result} TRUE PARENT_SCOPE)
			return()
		endif()
	endforeach()
	set(${result} FALSE PARENT_SCOPE)
endfunction()
