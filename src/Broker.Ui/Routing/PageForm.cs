using Broker.Operators;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Routing;

/// <summary>Fields of a form.</summary>
internal static class PageForm
{
    /// <summary>The fields of a request; none where it has no form.</summary>
    public static async Task<IFormCollection> ReadAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType) return FormCollection.Empty;
        try
        {
            return await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (InvalidDataException fault)
        {
            throw new OperatorException(StatusCodes.Status400BadRequest, "bad_request", $"The form cannot be read: {fault.Message}");
        }
    }
}
