// The style sheet and the script of the HTML report. Internal to export/.
//
// Colours: text on its background has a contrast of at least 7:1, in both schemes; lines and areas at least 3:1.
#pragma once

namespace residue::exports {

inline constexpr const char* kHtmlStyle = R"(
:root{color-scheme:light dark;--back:#fff;--card:#f5f6f8;--text:#1a1d21;--dim:#4a5058;--line:#c9ced6;--live:#2563a8;
--heap:#8a93a0;--bad:#b3261e;--bar:#2563a8;--box:74%;--boxtext:#14171a}
@media(prefers-color-scheme:dark){:root{--back:#15181c;--card:#1e2329;--text:#e8eaed;--dim:#b4bac2;--line:#3a414a;
--live:#6aa9ee;--heap:#6b7480;--bad:#ff8a80;--bar:#6aa9ee;--box:20%;--boxtext:#f3f4f6}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--back);color:var(--text);
font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0;color:var(--dim);overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.25rem 1rem 1rem;min-width:0}
table{border-collapse:collapse;width:100%}td{padding:.15rem .5rem .15rem 0;vertical-align:top;overflow-wrap:anywhere}
td:first-child{min-width:8rem;overflow-wrap:normal}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}td.d{color:var(--dim);font-size:.9em}
svg{display:block;width:100%}svg text{fill:var(--text);font:12px system-ui,sans-serif}
.live{fill:var(--live)}.heap{fill:var(--heap);opacity:.55}.bad{fill:var(--bad)}.axis{stroke:var(--line)}
.flame svg rect{fill:hsl(var(--h) 55% var(--box));stroke:var(--card)}
.flame svg text{fill:var(--boxtext);pointer-events:none}.flame svg svg{cursor:pointer}
.flame svg svg:focus rect,.flame svg svg:hover rect{stroke:var(--text)}.flame svg svg:focus{outline:none}
.bar{height:.7rem;background:var(--bar);min-width:1px}td.b{width:45%}
details{margin:.4rem 0}summary{cursor:pointer}ol{margin:.25rem 0;padding-left:2rem;font-family:ui-monospace,monospace;
font-size:.85rem}li{overflow-wrap:anywhere}
)";

// Zoom: a click (or Enter) on a box widens it to the whole width; on the topmost, Escape too, it goes back.
inline constexpr const char* kHtmlScript = R"(
document.querySelectorAll('.flame>svg').forEach(function(all){
  var boxes=Array.from(all.querySelectorAll('svg'));
  function zoom(to){
    var x0=+to.dataset.x,w0=+to.dataset.w;
    boxes.forEach(function(box){
      var x=(+box.dataset.x-x0)/w0*100,w=+box.dataset.w/w0*100,end=Math.min(x+w,100);
      x=Math.max(x,0);
      box.style.display=end-x>0.02?'':'none';
      box.setAttribute('x',x+'%');box.setAttribute('width',Math.max(end-x,0)+'%');
    });
  }
  boxes.forEach(function(box){
    box.addEventListener('click',function(){zoom(box);});
    box.addEventListener('keydown',function(e){
      if(e.key==='Enter')zoom(box);
      if(e.key==='Escape')zoom(boxes[0]);
    });
  });
});
)";

}  // namespace residue::exports
