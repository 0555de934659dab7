//! `GET /metrics`: Prometheus text.

use axum::extract::State;
use metrics::{counter, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::control::Control;

pub(super) async fn render(State(control): State<Control>) -> String {
    let counters = control.engine.snapshot_now().await.counters.clone();
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        counter!("handback_calls_total").absolute(counters.calls_total);
        counter!("handback_calls_refused_total").absolute(counters.calls_refused);
        gauge!("handback_calls_active").set(counters.calls_active as f64);
        counter!("handback_sip_messages_total", "direction" => "in").absolute(counters.messages_in);
        counter!("handback_sip_messages_total", "direction" => "out").absolute(counters.messages_out);
        counter!("handback_sip_messages_malformed_total").absolute(counters.messages_malformed);
        counter!("handback_sip_messages_dropped_total").absolute(counters.messages_dropped);
        gauge!("handback_sip_messages_kept").set(counters.messages_kept as f64);
        gauge!("handback_sip_transactions").set(counters.transactions as f64);
        gauge!("handback_media_streams").set(counters.media_streams as f64);
        counter!("handback_rtp_packets_total", "direction" => "in").absolute(counters.rtp_packets_in);
        counter!("handback_rtp_packets_total", "direction" => "out").absolute(counters.rtp_packets_out);
        gauge!("handback_recordings_active").set(counters.recordings_active as f64);
        counter!("handback_recordings_total").absolute(counters.recordings_total);
        counter!("handback_recordings_failed_total").absolute(counters.recordings_failed);
        counter!("handback_rtp_packets_lost_total").absolute(counters.rtp_packets_lost);
        // A summary without quantiles: the mean MOS of a time is the growth of one by that of the other.
        gauge!("handback_call_mos_sum").set(counters.mos_sum);
        counter!("handback_call_mos_count").absolute(counters.calls_rated);
        counter!("handback_rtp_strangers_total").absolute(counters.rtp_strangers);
    });
    recorder.handle().render()
}
