#!/usr/bin/env bash
# What phase3 charges for web-api and ai-session if its CPU threshold is 1 to 20 %: results/thresholds/thresholds.csv and .png.
#   scripts/plot_thresholds.sh [BUILD_DIR]      default: build/release. A few seconds; needs gnuplot.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
out=results/thresholds
mkdir -p "$out"

# WORKLOAD POLICY THRESHOLD: its bill in USD.
cost() {
    sed "s/_ppm\": 50000/_ppm\": ${3}0000/" policies/books/phase3.json >"$out/book.json"
    "$build/fsim" compare "$1" --policy "$2" --billing "$out/book.json" --format csv --out none | sed -n 2p | cut -d, -f4
}

echo "threshold_percent,web_api,ai_session" >"$out/thresholds.csv"
for p in $(seq 1 20); do
    echo "$p,$(cost web-api knative "$p"),$(cost ai-session lambda "$p")" >>"$out/thresholds.csv"
done
rm "$out/book.json"

cat >"$out/thresholds.gp" <<'END'
set terminal pngcairo noenhanced font 'Sans,11' background rgb 'white' size 1080,440
set output 'thresholds.png'
set datafile separator ','
set border 3
set tics nomirror out
set grid linecolor rgb '#e0e0e0' linetype 1
set xrange [0:21]
set yrange [0:*]
set xlabel 'CPU threshold of phase3 (%)'
set ylabel 'USD'
unset key
set multiplot layout 1,2
set title 'web-api under knative, 6 hours'
plot 'thresholds.csv' every ::1 using 1:2 with linespoints pointtype 7 linewidth 2 linecolor rgb '#0072b2'
set title 'ai-session under lambda, a day'
plot 'thresholds.csv' every ::1 using 1:3 with linespoints pointtype 7 linewidth 2 linecolor rgb '#0072b2'
unset multiplot
END
(cd "$out" && gnuplot thresholds.gp && rm thresholds.gp)
echo "$out/thresholds.png"
