// The guide to writing an allocator shows the code that the package test compiles and runs.
#include <fstream>
#include <sstream>

#include "support/catch.hpp"

namespace {
std::string Read(const std::string& path) {
    std::ifstream file(std::string(RESIDUE_SOURCE_DIR) + "/" + path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}
}  // namespace

TEST_CASE("The guide's code is the stranger's project, to the letter") {
    const std::string guide = Read("core/alloc/README.md");
    std::string header = Read("tests/package/stranger/my_allocator.hpp");
    header.erase(0, header.find("#pragma once"));  // all but its first comment
    for (const std::string& code : {header, Read("tests/package/stranger/main.cpp"),
                                    Read("tests/package/stranger/CMakeLists.txt")}) {
        REQUIRE(code.size() > 100);
        INFO(code);
        CHECK(guide.find(code) != std::string::npos);
    }
}
