#include "analysis/site_name.hpp"

#include "support/catch.hpp"

using namespace residue;

TEST_CASE("a site is called after who called the allocation functions, not after these") {
    log::EventLog log;
    const TraceId parse = log.AddTrace(TraceId{}, 0x10);
    const TraceId create = log.AddTrace(parse, 0x20), made = log.AddTrace(create, 0x30);
    const TraceId grown = log.AddTrace(log.AddTrace(parse, 0x30), 0x40);
    const TraceId alone = log.AddTrace(log.AddTrace(TraceId{}, 0x30), 0x40);
    const TraceId unnamed = log.AddTrace(log.AddTrace(create, 0x50), 0x30);
    log.NameFrame(0x10, {"Parse(int)", "parse.cpp", 9});
    log.NameFrame(0x20, {"Node::Create", "node.cpp", 7});
    log.NameFrame(0x30, {"operator new(unsigned long)", "", 0});
    log.NameFrame(0x40, {"malloc", "", 0});
    log.NameFrame(0x50, {"", "lib.cpp", 3});
    log.Close();
    const log::LogView view = log.View();
    CHECK(analysis::SiteName(view, made) == "Node::Create");
    CHECK(analysis::SiteName(view, grown) == "Parse(int)");
    CHECK(analysis::SiteName(view, create) == "Node::Create");
    CHECK(analysis::SiteName(view, alone) == "malloc");  // nothing else is known
    CHECK(analysis::SiteName(view, unnamed) == "lib.cpp:3");
    CHECK(analysis::SiteName(view, TraceId{}).empty());
    CHECK_FALSE(analysis::IsAllocationFunction("mallocator::Get"));
    CHECK_FALSE(analysis::IsAllocationFunction(""));
}
