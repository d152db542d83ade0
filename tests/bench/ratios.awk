# Input lines: WHAT SERVER ROUND VALUE. For each of `wanted`, a line of each of `servers`: its median, and
# the median over the rounds of ntpward's value divided by its.
function median(values, n,  i, j, t) {
  for (i = 2; i <= n; i++) {
    t = values[i]
    for (j = i - 1; j && values[j] > t; j--) values[j + 1] = values[j]
    values[j + 1] = t
  }
  return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
}
$4 != "" { value[$1, $2, $3] = $4 + 0; if ($3 > rounds) rounds = $3 }
END {
  split(wanted, what); n_servers = split(servers, server)
  for (w = 1; w in what; w++) for (s = 1; s <= n_servers; s++) {
    n = m = 0
    for (r = 1; r <= rounds; r++) {
      if (!((what[w], server[s], r) in value)) continue
      mine = value[what[w], "ntpward", r]; its = value[what[w], server[s], r]
      v[++n] = its
      if (its > 0) ratio[++m] = mine / its
    }
    if (!n) continue
    printf "  %-22s %-8s %12.2f", what[w], server[s], median(v, n)
    if (server[s] != "ntpward" && m) printf "   ntpward is %.2f of it", median(ratio, m)
    printf "\n"
  }
}
