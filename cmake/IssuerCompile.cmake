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
	-fstack-protector-strong)
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

# issuer_room(<name> <source>... [LINK <target>...])
# One room of the plugin or the host as a static library `issuer_<name>`: it can only include what it links.
function(issuer_room name)
	cmake_parse_arguments(ROOM "" "" "LINK" ${ARGN})
	add_library(issuer_${name} STATIC ${ROOM_UNPARSED_ARGUMENTS})
	target_link_libraries(issuer_${name} PUBLIC ${ROOM_LINK} PRIVATE issuer_compile)
endfunction()
