using Broker.Operations.Metrics;
using Broker.Storage.Contracts;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Broker.Operations.Tracing;

/// <summary>
/// Sends metrics and spans by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. OpenTelemetry itself reads the other <c>OTEL_…</c>
/// variables (headers, sampling, resource attributes).
/// </summary>
internal sealed class Telemetry : IDisposable
{
    private const string EndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT", ProtocolKey = "OTEL_EXPORTER_OTLP_PROTOCOL", NameKey = "OTEL_SERVICE_NAME";

    private readonly TracerProvider traces;
    private readonly MeterProvider metrics;

    private Telemetry(Uri endpoint, OtlpExportProtocol protocol, string name)
    {
        var resource = ResourceBuilder.CreateDefault().AddService(name, serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3));
        traces = OpenTelemetry.Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource)
            .AddSource(StorageInstruments.Traces, "Microsoft.AspNetCore", "Npgsql")
            .AddOtlpExporter(export => Configure(export, endpoint, protocol, "v1/traces"))
            .Build();
        metrics = OpenTelemetry.Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
            .AddMeter([.. MetricCatalogue.Meters])
            .AddOtlpExporter(export => Configure(export, endpoint, protocol, "v1/metrics"))
            .Build();
    }

    /// <summary>Null when no endpoint is set; a message in <paramref name="problem"/> when it cannot be used.</summary>
    public static Telemetry? Start(IConfiguration configuration, out string? problem)
    {
        problem = null;
        if (configuration[EndpointKey] is not { Length: > 0 } text) return null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            problem = $"{EndpointKey}: write an address such as http://localhost:4317.";
            return null;
        }

        OtlpExportProtocol? protocol = configuration[ProtocolKey] switch
        {
            null or "" or "grpc" => OtlpExportProtocol.Grpc,
            "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
            _ => null,
        };
        if (protocol is null) problem = $"{ProtocolKey}: write grpc or http/protobuf.";
        return protocol is { } known ? new(endpoint, known, configuration[NameKey] is { Length: > 0 } name ? name : "broker") : null;
    }

    /// <summary>Sends the rest.</summary>
    public void Dispose()
    {
        traces.Dispose();
        metrics.Dispose();
    }

    private static void Configure(OtlpExporterOptions export, Uri endpoint, OtlpExportProtocol protocol, string path)
    {
        export.Protocol = protocol;

        // An address that is set here is used as it is: over HTTP each signal has a path of its own.
        export.Endpoint = protocol is OtlpExportProtocol.HttpProtobuf ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}") : endpoint;
    }
}
