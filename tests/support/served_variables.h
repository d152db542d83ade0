// The names of the variables that our daemon serves, in its order: what it says of them and what
// ntpq knows of them is held against the same lists. ntpd 4.2.8p18's, and behind them our own.
#pragma once

#include <string_view>

namespace ntpward::test {

// Those from `privsep` on are ours.
inline constexpr std::string_view kSystemVariables =
    "leap,stratum,precision,rootdelay,rootdisp,refid,reftime,tc,peer,offset,frequency,sys_jitter,"
    "clk_jitter,clock,processor,system,version,clk_wander,sys_var_list,tai,leapsec,expire,mintc,"
    "mru_enabled,mru_depth,mru_deepest,mru_mindepth,mru_maxage,mru_maxdepth,mru_mem,mru_maxmem,"
    "ss_uptime,ss_reset,ss_received,ss_thisver,ss_oldver,ss_badformat,ss_badauth,ss_declined,"
    "ss_restricted,ss_limited,ss_kodsent,ss_processed,ss_lamport,ss_tsrounding,peeradr,peermode,"
    "bcastdelay,authdelay,authkeys,authfreek,authklookups,authknotfound,authkuncached,"
    "authkexpired,authencrypts,authdecrypts,authreset,koffset,kfreq,kmaxerr,kesterr,kstflags,"
    "ktimeconst,kprecis,kfreqtol,kppsfreq,kppsstab,kppsjitter,kppscalibdur,kppscalibs,"
    "kppscaliberrs,kppsjitexc,kppsstbexc,iostats_reset,total_rbuf,free_rbuf,used_rbuf,"
    "rbuf_lowater,io_dropped,io_ignored,io_received,io_sent,io_sendfailed,io_wakeups,"
    "io_goodwakeups,timerstats_reset,timer_overruns,timer_xmts,fuzz,clk_wander_threshold,"
    "leapsmearinterval,leapsmearoffset,flags,host,update,cert,signature,until,ident,digest,"
    "privsep,ctl_reset,ctl_received,ctl_answered,ctl_errors,ctl_unproved,ctl_limited,"
    "ctl_malformed,ctl_mode7,ss_autokey1";

// Those from `identity` on are ours.
inline constexpr std::string_view kPeerVariables =
    "config,authenable,authentic,srcadr,srcport,dstadr,dstport,leap,hmode,stratum,ppoll,hpoll,"
    "precision,rootdelay,rootdisp,refid,reftime,org,rec,xleave,reach,unreach,timer,delay,offset,"
    "jitter,dispersion,keyid,filtdelay,filtoffset,pmode,received,sent,filtdisp,flash,ttl,"
    "peer_var_list,in,out,headway,bias,srchost,timerec,timereach,badauth,bogusorg,oldpkt,seldisp,"
    "selbroken,candidate,flags,host,valid,initsequence,initkey,timestamp,signature,ident,identity,"
    "trail,cookieage,keylistage,autokeyerror,restrict";

inline constexpr std::string_view kClockVariables =
    "type,timecode,poll,noreply,badformat,baddata,fudgetime1,fudgetime2,stratum,refid,flags,device,"
    "clock_var_list,minjitter";

}  // namespace ntpward::test
