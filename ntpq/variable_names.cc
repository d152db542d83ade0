#include "ntpq/variable_names.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kSystem =
    "leap,stratum,precision,rootdelay,rootdisp,refid,reftime,tc,peer,offset,frequency,sys_jitter,"
    "clk_jitter,clock,processor,system,version,clk_wander,sys_var_list,tai,leapsec,expire,mintc,"
    "mru_enabled,mru_depth,mru_deepest,mru_mindepth,mru_maxage,mru_maxdepth,mru_mem,mru_maxmem,"
    "ss_uptime,ss_reset,ss_received,ss_thisver,ss_oldver,ss_badformat,ss_badauth,ss_declined,"
    "ss_restricted,ss_limited,ss_kodsent,ss_processed,ss_lamport,ss_tsrounding,peeradr,peermode,"
    "bcastdelay,authdelay,authkeys,authfreek,authklookups,authknotfound,authkuncached,authkexpired,"
    "authencrypts,authdecrypts,authreset,koffset,kfreq,kmaxerr,kesterr,kstflags,ktimeconst,kprecis,"
    "kfreqtol,kppsfreq,kppsstab,kppsjitter,kppscalibdur,kppscalibs,kppscaliberrs,kppsjitexc,"
    "kppsstbexc,iostats_reset,total_rbuf,free_rbuf,used_rbuf,rbuf_lowater,io_dropped,io_ignored,"
    "io_received,io_sent,io_sendfailed,io_wakeups,io_goodwakeups,timerstats_reset,timer_overruns,"
    "timer_xmts,fuzz,clk_wander_threshold,leapsmearinterval,leapsmearoffset,flags,host,update,cert,"
    "signature,until,ident,digest,privsep,ctl_reset,ctl_received,ctl_answered,ctl_errors,"
    "ctl_unproved,ctl_limited,ctl_malformed,ctl_mode7,ss_autokey1";

constexpr std::string_view kPeer =
    "config,authenable,authentic,srcadr,srcport,dstadr,dstport,leap,hmode,stratum,ppoll,hpoll,"
    "precision,rootdelay,rootdisp,refid,reftime,org,rec,xleave,reach,unreach,timer,delay,offset,"
    "jitter,dispersion,keyid,filtdelay,filtoffset,pmode,received,sent,filtdisp,flash,ttl,"
    "peer_var_list,in,out,headway,bias,srchost,timerec,timereach,badauth,bogusorg,oldpkt,seldisp,"
    "selbroken,candidate,flags,host,valid,initsequence,initkey,timestamp,signature,ident,identity,"
    "trail,cookieage,keylistage,autokeyerror,restrict";

constexpr std::string_view kClock =
    "type,timecode,poll,noreply,badformat,baddata,fudgetime1,fudgetime2,stratum,refid,flags,device,"
    "clock_var_list,minjitter";

}  // namespace

std::string_view VariableNames(Scope scope) {
  switch (scope) {
    case Scope::kSystem:
      return kSystem;
    case Scope::kPeer:
      return kPeer;
    case Scope::kClock:
      return kClock;
  }
  return "";
}

}  // namespace ntpward::ntpq
